package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine/llama"
)

// LlamaVersion is llama.cpp's version.
func LlamaVersion() string { return llama.Version() }

// SetLog sends llama.cpp's log to l. It is one log for the process, as in llama.cpp.
func SetLog(l *slog.Logger) { llama.SetLogger(l) }

// TemplateWorker is the process that renders chat templates: Jinja has no step limit, so a template runs where it can be
// killed. It serves until in ends.
func TemplateWorker(in io.Reader, out io.Writer) error { return llama.TemplateWorker(in, out) }

// Quantize writes the model at in to out, in the quantization that fileType names, also when in is quantized already.
//
// llama.cpp's quantizer cannot be stopped. When ctx ends Quantize returns its error, and the quantizer goes on in this
// process. It opens out, a file that is not there yet, once. Quantize returns after that: the caller may remove the file.
func Quantize(ctx context.Context, in, out, fileType string, threads int) error {
	t, err := llama.ParseFileType(fileType)
	if err != nil {
		return failure.Input(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- llama.Quantize(in, out, llama.QuantizeParams{FileType: t, Threads: threads, AllowRequantize: true})
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if _, err := os.Stat(out); err == nil {
			return ctx.Err()
		}
		select {
		case err := <-done:
			return errors.Join(ctx.Err(), err)
		case <-look.C:
		}
	}
}
