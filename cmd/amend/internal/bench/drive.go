package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// drive runs a workload through an engine, alive rows at once, and returns its
// counts and wall time. With pin the preamble is computed once before the rows;
// that is part of the time.
func drive(ctx context.Context, e *engine.Engine, w *workload.Workload, alive int, pin bool) (engine.Stats, time.Duration, error) {
	start, before := time.Now(), e.Stats()
	if before != (engine.Stats{}) {
		return before, 0, errors.New("driving a workload through an engine that has run before: its counts would be added up")
	}
	if pin {
		if err := e.Pin(ctx, w.Preamble); err != nil {
			return before, 0, fmt.Errorf("computing the preamble: %w", err)
		}
	}
	d := driver{engine: e, work: w}
	for range alive {
		d.startRow()
	}
	err := e.Run(ctx)
	return e.Stats(), time.Since(start), errors.Join(d.err, err)
}

// driver submits a workload's turns as their prompts become known.
type driver struct {
	engine *engine.Engine
	work   *workload.Workload
	next   int // row to start
	err    error
}

// row is a workload's row under way.
type row struct {
	driver  *driver
	index   int
	outputs [][]engine.Token // of its turns; nil until they are done
	open    int              // turns not done
}

func (d *driver) startRow() {
	if d.next == len(d.work.Rows) || d.err != nil {
		return
	}
	r := &row{driver: d, index: d.next, outputs: make([][]engine.Token, len(d.work.Rows[d.next].Turns))}
	r.open = len(r.outputs)
	d.next++
	r.submitReady()
}

// submitReady submits all turns whose prompts are known. Turns are in an order
// in which each comes after those it needs.
func (r *row) submitReady() {
	in := &r.driver.work.Rows[r.index]
	for t := range in.Turns {
		if r.outputs[t] == nil && r.ready(in, t) {
			r.outputs[t] = []engine.Token{} // not again
			r.submit(in, t)
		}
	}
}

func (r *row) ready(in *workload.Row, turn int) bool {
	for _, before := range in.After(turn) {
		if len(r.outputs[before]) == 0 {
			return false
		}
	}
	return true
}

// submit gives one turn to the engine. A turn of one token is a judgement: two
// options of one token are scored.
func (r *row) submit(in *workload.Row, turn int) {
	prompt, n := in.Prompt(turn, r.outputs), in.Turns[turn].Decode
	var err error
	if n == 1 {
		err = r.driver.engine.Score(&engine.Score{
			Tokens: prompt, Options: [][]engine.Token{{1}, {2}},
			Done: func(s engine.Scores) { r.done(turn, []engine.Token{1}, s.Err) },
		})
	} else {
		err = r.driver.engine.Submit(&engine.Request{
			Tokens: prompt, MaxTokens: n, IgnoreEnd: true,
			Done: func(res engine.Result) { r.done(turn, res.Tokens, res.Err) },
		})
	}
	if err != nil {
		r.done(turn, nil, err)
	}
}

func (r *row) done(turn int, output []engine.Token, err error) {
	if want := r.driver.work.Rows[r.index].Turns[turn].Decode; err == nil && len(output) != want {
		err = fmt.Errorf("%d tokens of %d", len(output), want)
	}
	if err != nil {
		if r.driver.err == nil {
			r.driver.err = fmt.Errorf("row %d, turn %d: %w", r.index, turn, err)
		}
		return
	}
	r.outputs[turn] = output
	if r.open--; r.open == 0 {
		r.driver.startRow()
		return
	}
	r.submitReady()
}
