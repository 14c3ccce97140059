package worker

import (
	"context"
	"log/slog"
)

// record is a line of the log on its way to the parent. Values are text by then.
type record struct {
	Level slog.Level
	Text  string
	Attrs []string // keys and values by turns
}

// forwarder is the log handler of a worker: the parent writes the lines, so that they do not run into its progress.
type forwarder struct {
	client *Client
	level  slog.Level
	attrs  []string // keys and values by turns
	group  string   // before each key
}

// Enabled implements slog.Handler.
func (f *forwarder) Enabled(_ context.Context, level slog.Level) bool { return level >= f.level }

// Handle implements slog.Handler.
func (f *forwarder) Handle(_ context.Context, r slog.Record) error {
	out := record{Level: r.Level, Text: r.Message, Attrs: append([]string(nil), f.attrs...)}
	r.Attrs(func(a slog.Attr) bool {
		out.Attrs = append(out.Attrs, f.group+a.Key, a.Value.Resolve().String())
		return true
	})
	return f.client.tell(message{Kind: logged, Record: out})
}

// WithAttrs implements slog.Handler.
func (f *forwarder) WithAttrs(attrs []slog.Attr) slog.Handler {
	with := *f
	with.attrs = append([]string(nil), f.attrs...)
	for _, a := range attrs {
		with.attrs = append(with.attrs, f.group+a.Key, a.Value.Resolve().String())
	}
	return &with
}

// WithGroup implements slog.Handler.
func (f *forwarder) WithGroup(name string) slog.Handler {
	with := *f
	with.group += name + "."
	return &with
}

// write gives a worker's line to the parent's log.
func (r record) write(l *slog.Logger) {
	var args []any
	for i := 0; i+1 < len(r.Attrs); i += 2 {
		args = append(args, r.Attrs[i], r.Attrs[i+1])
	}
	l.Log(context.Background(), r.Level, r.Text, args...)
}
