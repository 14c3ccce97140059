package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// bencher runs the benchmark.
type bencher struct {
	options *options
	size    size
	say     func(format string, args ...any)
	done    []swept
	start   time.Time
}

const (
	runLimit   = 20 * time.Minute // of one run of anything
	sweepRows  = 4                // the least a configuration is swept on
	leastLimit = 20 * time.Second // no run is stopped before
)

func (b *bencher) run(ctx context.Context) (*report, error) {
	b.start = time.Now()
	if b.options.workload == textWorkload {
		if err := b.sizeText(ctx); err != nil {
			return nil, err
		}
	}
	finalists, err := b.finalists(ctx)
	if err != nil {
		return nil, err
	}
	report, err := b.final(ctx, finalists)
	if err != nil {
		return nil, err
	}
	for _, s := range b.done {
		report.Sweep = append(report.Sweep, newSweepEntry(s))
	}
	b.say("done after %v", time.Since(b.start).Round(time.Second))
	return report, nil
}

// finalists are the server's configurations that run at full size.
func (b *bencher) finalists(ctx context.Context) ([]config, error) {
	var given []config
	for _, name := range b.options.peers {
		c, err := parseConfig(name)
		if err != nil {
			return nil, err
		}
		given = append(given, c)
	}
	if given != nil {
		return given, nil
	}
	var failures []error
	guess := b.options.workload == textWorkload // random tokens repeat nothing
	stages := []func() []config{func() []config { return all(guess) }}
	if b.options.sweep == "staged" {
		stages = []func() []config{firstStage, func() []config { return secondStage(b.done, guess) }}
	}
	for _, stage := range stages {
		for _, c := range usable(stage(), b.size.rows) {
			err := b.sweep(ctx, c)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil { // a backend need not take every combination
				err = fmt.Errorf("%s: %w", c.name(), err)
				failures = append(failures, err)
				b.done = append(b.done, swept{config: c, failed: true})
				b.say("%v", err)
			}
		}
	}
	found := best(b.done, 2)
	if found == nil {
		return nil, fmt.Errorf("none of the server's configurations could be measured; %w", errors.Join(failures...))
	}
	return found, nil
}

// sweep measures one configuration on a few rows. It is stopped when it is
// certain to take twice as long as the best so far.
func (b *bencher) sweep(ctx context.Context, c config) error {
	s, err := b.serve(ctx, c.args(slotContext(b.size.longest))...)
	if err != nil {
		return err
	}
	defer s.stop()
	warm, err := b.warm(s)
	if err != nil {
		return err
	}
	rows := min(b.size.rows, max(sweepRows, c.slots))
	part := float64(rows) / float64(b.size.rows)
	limit, most := sweepLimit(b.done, warm, part)
	r, err := b.bench(s.ctx, limit, append(b.peerArgs(s, c.name()), b.options.rowsFlag(), strconv.Itoa(rows))...)
	result := swept{config: c, rows: rows}
	switch {
	case errors.Is(err, errLimit):
		result.estimate, result.stopped = most, true
		b.say("%s: stopped, it would take over %.0f s on %d rows", c.name(), most, b.size.rows)
	case err != nil:
		return err
	default:
		result.estimate = warm + r.Variants[0].WallS/part
		b.say("%s: %.1f s on %d rows, so %.0f s on %d (after %v)", c.name(), r.Variants[0].WallS, rows, result.estimate, b.size.rows, time.Since(b.start).Round(time.Second))
	}
	b.done = append(b.done, result)
	return nil
}

// sweepLimit is how long a run of part of the workload may take, the preamble
// taken in before, so that the whole would not take over twice as long as the
// best so far; and how long the whole would then take, in seconds.
func sweepLimit(done []swept, warm, part float64) (limit time.Duration, most float64) {
	most = runLimit.Seconds()
	for _, d := range done {
		if d.measured() {
			most = min(most, 2*d.estimate)
		}
	}
	limit = max(leastLimit, time.Duration((most-warm)*part*float64(time.Second)))
	return limit, warm + limit.Seconds()/part
}

// warm gives each slot the preamble, which begins the prompts of every workload
// with the same seed, and returns the seconds it took.
func (b *bencher) warm(s *server) (float64, error) {
	if b.size.preamble == 0 {
		return 0, nil
	}
	if b.options.workload == textWorkload {
		return b.warmText(s)
	}
	args := append(b.peerArgs(s, "warm-up"), "--preamble", strconv.Itoa(b.size.preamble), "--rows", strconv.Itoa(s.slots))
	for _, length := range []string{"prompt", "option", "principle", "principles"} {
		args = append(args, "--"+length, "1")
	}
	r, err := b.amend(s.ctx, runLimit, "feedback", args...)
	if err != nil {
		return 0, fmt.Errorf("giving its slots the preamble: %w", err)
	}
	return r.Variants[0].WallS, nil
}

// final runs amend and the finalists in turns at full size, and the server as it
// starts by default once, beside the last.
func (b *bencher) final(ctx context.Context, finalists []config) (*report, error) {
	var ours *amendReport
	turns := make([][]variant, b.options.turns)
	for i := range turns {
		r, err := b.bench(ctx, runLimit, b.options.oursArgs()...)
		if err != nil {
			return nil, err
		}
		if ours == nil {
			ours = r
		}
		turns[i] = append(turns[i], r.Variants...)
		b.say("turn %d: amend: %.1f s", i+1, r.Variants[0].WallS)
		for _, c := range finalists {
			v, err := b.full(ctx, c.name(), c.args(slotContext(b.size.longest))...)
			if err != nil {
				return nil, err
			}
			turns[i] = append(turns[i], v)
			b.say("turn %d: %s: %.1f s", i+1, v.Name, v.WallS)
		}
	}
	const defaultSlots = 4
	v, err := b.full(ctx, defaultName, "--ctx-size", strconv.Itoa(defaultSlots*slotContext(b.size.longest)))
	if err != nil {
		return nil, err
	}
	b.say("%s: %.1f s", v.Name, v.WallS)
	turns[len(turns)-1] = append(turns[len(turns)-1], v)
	return newReport(ours, turns), nil
}

// full runs the whole workload on a server that was just started.
func (b *bencher) full(ctx context.Context, name string, args ...string) (variant, error) {
	s, err := b.serve(ctx, args...)
	if err != nil {
		return variant{}, fmt.Errorf("%s: %w", name, err)
	}
	defer s.stop()
	r, err := b.bench(s.ctx, runLimit, b.peerArgs(s, name)...)
	if err != nil {
		return variant{}, fmt.Errorf("%s: %w", name, err)
	}
	return r.Variants[0], nil
}

// serve starts the server on the model with what it shares with amend.
func (b *bencher) serve(ctx context.Context, args ...string) (*server, error) {
	args = append(args, "--model", b.options.model, "--threads", strconv.Itoa(b.options.threads))
	if b.options.gpuLayers >= 0 {
		args = append(args, "--gpu-layers", strconv.Itoa(b.options.gpuLayers))
	}
	return startServer(ctx, b.options.server, args...)
}

func (b *bencher) peerArgs(s *server, name string) []string {
	return []string{"--peer-url", s.url, "--peer-name", name, "--peer-slots", strconv.Itoa(s.slots)}
}
