package runner

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"amend/engine/llama"
)

// WhyCopied says why sequences of a model in contexts of this kind cannot read a
// preamble without holding it, but hold copies; it is empty where they can.
func WhyCopied(m *llama.Model, s ContextPlan) (string, error) {
	switch {
	case m.Recurrent() || m.Hybrid():
		return "the model keeps states, which only whole sequences have", nil
	case m.SWA() > 0:
		return fmt.Sprintf("layers attend to a sliding window of %d tokens", m.SWA()), nil
	case s.Unified:
		return "with shared cells the preamble lies there once, and each row reads it for itself", nil
	case s.FlashAttn != llama.FlashOff:
		return "flash attention, which a GPU uses, reads each sequence's own cells", nil
	case ropeByContext(m):
		return "rotary factors depend on the length of a sequence's stream, which would no longer be the longest row", nil
	}
	c, err := m.NewContext(llama.ContextParams{Ctx: 512, SeqMax: 2, Batch: 32, OutputsMax: 2, TypeK: s.TypeK, FlashAttn: s.FlashAttn, SWAFull: true})
	if err != nil {
		return "", fmt.Errorf("trying whether sequences can be attached to one another: %w", err)
	}
	if c.CanAttach() {
		return "", c.Close()
	}
	return "the model's cache is not the plain one of keys and values for each head", c.Close()
}

// AttachTokens is the longer of the preambles that MeasureAttach tries.
const AttachTokens = 512

// attachTried are the lengths of preamble that MeasureAttach tries. Each is tried attachTurns times, in turns. A turn times
// attachSteps steps, after one that is not timed, since it copies and makes the graph.
var attachTried = [2]int{64, AttachTokens}

const attachTurns, attachSteps = 3, 2

// AttachSteps is about what MeasureAttach costs, in decode steps, the prefill of the longer preamble included.
const AttachSteps = 2*len(attachTried)*attachTurns*(1+attachSteps) + 20

// MeasureAttach times decode steps of rows behind preambles that are attached to
// and copied, in a context of its own, of the kind that s says.
func MeasureAttach(ctx context.Context, m *llama.Model, s ContextPlan, rows int) (c AttachCosts, err error) {
	s.Sequences, s.Shared, s.Cells = rows+len(attachTried), 0, 0
	s.Limit, s.Own, s.Context = AttachTokens+1, AttachTokens+1, padded(AttachTokens+1)
	b, err := NewBackend(m, s)
	if err != nil {
		return c, fmt.Errorf("a context to try attached sequences in: %w", err)
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	t := attachTrial{backend: b, rows: rows}
	if err := t.fill(ctx); err != nil {
		return c, fmt.Errorf("computing a preamble to attach rows to: %w", err)
	}
	c = AttachCosts{Rows: rows, Tokens: attachTried}
	for turn := range attachTurns {
		for i := range attachTried {
			for _, way := range []struct {
				attach bool
				best   *float64
			}{{false, &c.Copied[i]}, {true, &c.Attached[i]}} {
				took, err := t.time(ctx, i, way.attach)
				if err != nil {
					return c, fmt.Errorf("trying %d rows behind %d tokens: %w", rows, attachTried[i], err)
				}
				if turn == 0 || took < *way.best {
					*way.best = took
				}
			}
		}
	}
	return c, nil
}

// attachTrial is a context with a sequence for each row and, behind them, one for
// each preamble that is tried.
type attachTrial struct {
	backend *Backend
	rows    int
}

// fill computes the longest preamble. The others are its beginning.
func (t *attachTrial) fill(ctx context.Context) error {
	longest := len(attachTried) - 1
	from := int32(t.rows + longest)
	t.backend.batch.Clear()
	for pos := range attachTried[longest] {
		if err := t.backend.batch.Add(llama.Token(pos%2), int32(pos), false, from); err != nil {
			return err
		}
	}
	c := t.backend.ctx
	if err := c.Decode(ctx, t.backend.batch); err != nil {
		return err
	}
	for i, n := range attachTried[:longest] {
		to := int32(t.rows + i)
		if err := c.SeqCopy(from, to, -1, -1); err != nil {
			return err
		}
		if !c.SeqRemove(to, int32(n), -1) {
			return fmt.Errorf("the copy cannot be cut at %d", n)
		}
	}
	return nil
}

// time is what the faster one of some steps took, behind preamble i, in seconds.
func (t *attachTrial) time(ctx context.Context, i int, attach bool) (float64, error) {
	c, from := t.backend.ctx, int32(t.rows+i)
	best := math.Inf(1)
	for row := range int32(t.rows) {
		if attach && !c.SeqAttach(row, from) {
			return 0, errors.New("a row cannot be attached")
		}
		if !attach {
			if err := c.SeqCopy(from, row, -1, -1); err != nil {
				return 0, err
			}
		}
	}
	for step := range 1 + attachSteps {
		t.backend.batch.Clear()
		for row := range int32(t.rows) {
			if err := t.backend.batch.Add(0, int32(attachTried[i]), true, row); err != nil {
				return 0, err
			}
		}
		start := time.Now()
		if err := c.Decode(ctx, t.backend.batch); err != nil {
			return 0, err
		}
		c.Synchronize()
		if step > 0 {
			best = min(best, time.Since(start).Seconds())
		}
		for row := range int32(t.rows) {
			if !c.SeqRemove(row, int32(attachTried[i]), -1) {
				return 0, fmt.Errorf("row %d cannot be cut at %d", row, attachTried[i])
			}
		}
	}
	for row := range int32(t.rows) {
		c.SeqRemove(row, -1, -1)
	}
	return best, nil
}

// AttachCosts is what decode steps of some rows took behind two preambles, one
// short, one longer, in seconds: rows holding copies of it, and reading it
// attached (engine.Backend.Attach).
type AttachCosts struct {
	Rows     int
	Tokens   [2]int // of the preambles
	Copied   [2]float64
	Attached [2]float64
}

// Worth is the shortest preamble that pays to be read in common: what is saved
// is taken to grow with its length as between the two that were measured.
func (c AttachCosts) Worth() int {
	at := [2]float64{float64(c.Tokens[0]), float64(c.Tokens[1])}
	saved := [2]float64{c.Copied[0] - c.Attached[0], c.Copied[1] - c.Attached[1]}
	grows := (saved[1] - saved[0]) / (at[1] - at[0])
	if grows <= 0 {
		if saved[1] > 0 {
			return 1
		}
		return math.MaxInt
	}
	return int(max(1, math.Ceil(at[0]-saved[0]/grows)))
}
