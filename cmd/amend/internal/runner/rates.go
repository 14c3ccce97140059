package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"amend/engine/llama"
)

// Rates is how fast rows are computed on this machine now.
type Rates struct {
	Prefill float64 `json:"prefill_tok_s"` // of one sequence
	Decode  float64 `json:"decode_tok_s"`  // of Rows together
	Rows    int     `json:"rows"`
	Depth   int     `json:"depth"` // tokens before those that were decoded
}

// What MeasureRates computes: chunks until the first time is spent, then steps until the second is.
const (
	ratesChunk   = 64
	ratesPrefill = 700 * time.Millisecond
	ratesDecode  = 700 * time.Millisecond
	ratesSteps   = 4
)

// MeasureRates times, for at most two seconds with a model that reads 100 tokens a second or more, a prefill of up to depth
// tokens, and decode steps of so many rows behind it, in a context of its own of the kind that s says. attached says that
// rows read what they share without holding it.
func (m *Model) MeasureRates(ctx context.Context, s ContextPlan, rows, depth int, attached bool) (r Rates, err error) {
	rows, depth = max(1, rows), max(2*ratesChunk, depth)
	s.Sequences, s.Shared, s.Cells, s.PerRow, s.Preambles = rows+1, 0, 0, 0, 0
	s.Limit, s.Own, s.Context = depth+ratesSteps+1, depth+ratesSteps+1, padded(depth+ratesSteps+1)
	b, err := m.NewContext(s)
	if err != nil {
		return r, fmt.Errorf("a context to time steps in: %w", err)
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	t := ratesTrial{backend: b, rows: rows}
	if r.Prefill, err = t.prefill(ctx, depth); err != nil {
		return r, fmt.Errorf("timing a prefill: %w", err)
	}
	if err := t.share(attached); err != nil {
		return r, err
	}
	r.Rows, r.Depth = rows, t.depth
	if r.Decode, err = t.decode(ctx); err != nil {
		return r, fmt.Errorf("timing %d rows behind %d tokens: %w", rows, t.depth, err)
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

// prefill computes what rows share, or as much of it as there is time for, and returns tokens a second. The first
// chunk is not counted: it makes the graph, and reads weights from the disk.
func (t *ratesTrial) prefill(ctx context.Context, depth int) (float64, error) {
	var spent time.Duration
	for t.depth+ratesChunk <= depth && spent < ratesPrefill {
		t.backend.batch.Clear()
		for range ratesChunk {
			if err := t.backend.batch.Add(llama.Token(t.depth%2), int32(t.depth), false, int32(t.rows)); err != nil {
				return 0, err
			}
			t.depth++
		}
		took, err := t.step(ctx)
		if err != nil {
			return 0, err
		}
		if t.depth > ratesChunk {
			spent += took
		}
	}
	return float64(t.depth-ratesChunk) / spent.Seconds(), nil
}

// share gives each row what was computed.
func (t *ratesTrial) share(attached bool) error {
	for row := range int32(t.rows) {
		if attached && t.backend.ctx.SeqAttach(row, int32(t.rows)) {
			continue
		}
		if err := t.backend.ctx.SeqCopy(int32(t.rows), row, -1, -1); err != nil {
			return err
		}
	}
	return nil
}

// decode times steps of all rows, and returns tokens a second by the fastest. The first is not counted.
func (t *ratesTrial) decode(ctx context.Context) (float64, error) {
	var spent, best time.Duration
	for at := 0; at < ratesSteps && spent < ratesDecode; at++ {
		t.backend.batch.Clear()
		for row := range int32(t.rows) {
			if err := t.backend.batch.Add(0, int32(t.depth+at), true, row); err != nil {
				return 0, err
			}
		}
		took, err := t.step(ctx)
		if err != nil {
			return 0, err
		}
		spent += took
		if at == 1 || (at > 1 && took < best) || best == 0 {
			best = took
		}
	}
	return float64(t.rows) / best.Seconds(), nil
}
