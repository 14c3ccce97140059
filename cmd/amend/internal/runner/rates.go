package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"amend/engine/llama"
)

// Rates is how fast rows are computed on this machine now: a prefill, and decode steps of one row, and of all where each has
// cells of its own up to two depths.
type Rates struct {
	Prefill float64    `json:"prefill_tok_s"` // of one sequence, up to the larger depth
	Rows    int        `json:"rows"`
	Depths  [2]int     `json:"depths"`
	Step    [2]float64 `json:"step_s"`     // of all rows
	Single  float64    `json:"step_one_s"` // of one row, at the larger depth
}

// leastSlope is how far two depths must lie apart for their difference to say more than the clock's noise.
const leastSlope = 192

// StepSeconds is what a step of some of the rows takes where each has own cells in the mean. It grows with own as between
// the two depths that were timed. Where these lie close together, as with a model that is slow to fill them, it is taken
// not to grow: the larger a model, the smaller the part of attention. Fewer rows cost less as between all and one.
func (r Rates) StepSeconds(rows, own float64) float64 {
	all := r.Step[1]
	if apart := r.Depths[1] - r.Depths[0]; apart >= leastSlope {
		all += max(0, (r.Step[1]-r.Step[0])/float64(apart)) * (own - float64(r.Depths[1]))
	}
	all = max(all, min(r.Step[0], r.Step[1])) // a line through noise may cross nothing
	if r.Rows == 1 {
		return all
	}
	single := r.Single * all / r.Step[1]
	return single + (all-single)*(rows-1)/float64(r.Rows-1)
}

// Decode is tokens a second of all rows together.
func (r Rates) Decode(own float64) float64 {
	return float64(r.Rows) / r.StepSeconds(float64(r.Rows), own)
}

// PrefillAt is tokens a second of prefills in rows of own cells: it falls as decode does.
func (r Rates) PrefillAt(own float64) float64 {
	return r.Prefill * r.Decode(own) / r.Decode(float64(r.Depths[1])/2)
}

// What MeasureRates computes: chunks for a time, and at most so many steps for a quarter of it.
const (
	ratesChunk = 32
	ratesTime  = 800 * time.Millisecond
	ratesSteps = 4
)

// MeasureRates times a prefill of up to depth tokens, and decode steps of so many rows that each hold a copy of it, in a
// context of its own of the kind that s says. It takes about two seconds, less with a small model, longer with one whose
// steps take that long. told hears how many of its steps are done.
func (m *Model) MeasureRates(ctx context.Context, s ContextPlan, rows, depth int, told func(done, of int)) (r Rates, err error) {
	rows, depth = max(1, rows), max(2*ratesChunk, depth)
	s.Sequences, s.Shared, s.Cells, s.PerRow, s.Preambles = rows+1, 0, 0, 0, 0
	s.Limit, s.Own, s.Context = depth+ratesSteps+1, depth+ratesSteps+1, padded(depth+ratesSteps+1)
	b, err := m.NewContext(s)
	if err != nil {
		return r, fmt.Errorf("a context to time steps in: %w", err)
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	t := ratesTrial{backend: b, rows: rows}
	r.Rows = rows
	const parts = 5
	told(0, parts)
	if err := t.chunk(ctx); err != nil { // makes the graph, and reads weights from the disk
		return r, fmt.Errorf("computing a first chunk: %w", err)
	}
	told(1, parts)
	for i, reach := range []func() error{
		func() error { return nil },
		func() (err error) { r.Prefill, err = t.prefill(ctx, depth); return err },
	} {
		if err := reach(); err != nil {
			return r, fmt.Errorf("timing a prefill: %w", err)
		}
		told(1+2*i, parts)
		r.Depths[i] = t.depth
		if r.Step[i], err = t.decode(ctx, rows); err != nil {
			return r, fmt.Errorf("timing %d rows behind %d tokens: %w", rows, t.depth, err)
		}
		told(2+2*i, parts)
	}
	if r.Single, err = t.decode(ctx, 1); err != nil {
		return r, fmt.Errorf("timing a row behind %d tokens: %w", t.depth, err)
	}
	return r, nil
}

// ratesTrial is a context with a sequence for each row, and one behind them for what they share.
type ratesTrial struct {
	backend *Backend
	rows    int
	depth   int // tokens of what they share
}

// step computes the batch and says what that took.
func (t *ratesTrial) step(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	if err := t.backend.ctx.Decode(ctx, t.backend.batch); err != nil {
		return 0, err
	}
	t.backend.ctx.Synchronize()
	return time.Since(start), nil
}

// chunk computes the next tokens of what rows hold.
func (t *ratesTrial) chunk(ctx context.Context) error {
	t.backend.batch.Clear()
	for range ratesChunk {
		if err := t.backend.batch.Add(llama.Token(t.depth%2), int32(t.depth), false, int32(t.rows)); err != nil {
			return err
		}
		t.depth++
	}
	_, err := t.step(ctx)
	return err
}

// prefill computes chunks up to depth, or as many as there is time for, and returns tokens a second.
func (t *ratesTrial) prefill(ctx context.Context, depth int) (float64, error) {
	from, start := t.depth, time.Now()
	for t.depth+ratesChunk <= depth && (t.depth == from || time.Since(start) < ratesTime) {
		if err := t.chunk(ctx); err != nil {
			return 0, err
		}
	}
	return float64(t.depth-from) / time.Since(start).Seconds(), nil
}

// decode gives some rows a copy of what was computed, and returns the seconds of a step of all of them, by the fastest. A
// step that is long is taken once.
func (t *ratesTrial) decode(ctx context.Context, rows int) (float64, error) {
	c := t.backend.ctx
	for row := range int32(rows) {
		if err := c.SeqCopy(int32(t.rows), row, -1, -1); err != nil {
			return 0, err
		}
	}
	var spent, best time.Duration
	for at := 0; at < ratesSteps && (at == 0 || spent < ratesTime/4); at++ {
		t.backend.batch.Clear()
		for row := range int32(rows) {
			if err := t.backend.batch.Add(0, int32(t.depth+at), true, row); err != nil {
				return 0, err
			}
		}
		took, err := t.step(ctx)
		if err != nil {
			return 0, err
		}
		spent += took
		if at == 0 || took < best {
			best = took
		}
	}
	for row := range int32(rows) {
		c.SeqRemove(row, -1, -1)
	}
	return best.Seconds(), nil
}
