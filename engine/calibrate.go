package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// calibration is what Calibrate tries: tokens of each sequence in one pass. All
// are tried in turns, so that a disturbance of the machine does not fall on one
// alone, and the fastest of each counts.
var calibration = [...]int{1, 4, 8}

const calibrationTurns = 3

// CalibrationSteps is about what Calibrate costs, in full decode steps.
const CalibrationSteps = 12

// Calibrate measures what passes of one to n sequences cost below prefix, which
// should be as long as the rows' conversations, on an engine that runs nothing.
// The cache is empty afterwards, except for what is pinned. The result is for
// Speculate, of this engine or of one made in a later run: what is measured to
// choose a setting is measured once. It is empty where drafted tokens cannot be: in a
// memory that cannot be copied or cut (states, a window in unified cells). told, if set, hears how many of the passes' tokens
// are done.
func (e *Engine) Calibrate(ctx context.Context, prefix []Token, n int, told func(done, of int)) ([]StepCost, error) {
	n = min(n, e.limits.Sequences)
	if e.running > 0 || len(e.waiting) > 0 {
		return nil, errors.New("calibrating while requests run: calibrate before the first is submitted")
	}
	var free []int
	for seq := range e.limits.Sequences {
		if !e.tree.Locked(seq) && len(free) < n {
			e.clear(seq)
			free = append(free, seq)
		}
	}
	depth := min(len(prefix), e.roomFor(append(slices.Clip(prefix), 0))-calibration[len(calibration)-1])
	if len(free) == 0 || depth < 1 || e.limits.Uncuttable {
		return nil, nil
	}
	defer func() {
		for _, seq := range free {
			e.clear(seq)
		}
	}()
	costs, err := e.timePasses(ctx, prefix[:depth], free, told)
	if errors.Is(err, errRefused) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("calibrating the length of guesses: %w", err)
	}
	return costs, nil
}

// errRefused says that a memory did not copy or cut a sequence.
var errRefused = errors.New("this model's memory cannot be copied or cut there")

// timePasses lays a prefix into free sequences and times passes below it.
func (e *Engine) timePasses(ctx context.Context, prefix []Token, free []int, told func(done, of int)) ([]StepCost, error) {
	if err := e.lay(ctx, prefix, free); err != nil {
		return nil, err
	}
	costs := e.shapes(len(free))
	done, of := 0, 0
	for _, c := range costs {
		of += calibrationTurns * c.Sequences * c.Tokens
	}
	for turn := range calibrationTurns {
		for i := range costs {
			c := &costs[i]
			took, err := e.timePass(ctx, free[:c.Sequences], len(prefix), c.Tokens, prefix[0])
			if err != nil {
				return nil, err
			}
			if turn == 0 || took.Seconds() < c.Seconds {
				c.Seconds = took.Seconds()
			}
			if done += c.Sequences * c.Tokens; told != nil {
				told(done, of)
			}
		}
	}
	// More tokens of as many sequences never cost less: where they seem to, the
	// machine was disturbed.
	for i := len(costs) - 2; i >= 0; i-- {
		if costs[i].Sequences == costs[i+1].Sequences {
			costs[i].Seconds = min(costs[i].Seconds, costs[i+1].Seconds)
		}
	}
	return costs, nil
}

// lay puts a prefix into the given empty sequences: a copy of a pinned one, or
// computed.
func (e *Engine) lay(ctx context.Context, prefix []Token, seqs []int) error {
	hit := e.tree.Match(prefix, e.limits.Uncuttable)
	have := 0
	if hit.Seq >= 0 {
		have = e.copy(hit.Seq, seqs[0], hit.Computed)
	}
	for from := have; from < len(prefix); from += e.limits.Batch {
		chunk := prefix[from:min(from+e.limits.Batch, len(prefix))]
		e.batch = e.batch[:0]
		for i, tok := range chunk {
			e.batch = append(e.batch, Input{Token: tok, Pos: int32(from + i), Seq: seqs[0]})
		}
		if err := e.backend.Decode(ctx, e.batch); err != nil {
			return err
		}
		e.tree.Append(seqs[0], chunk...)
		e.tree.Compute(seqs[0], from+len(chunk))
	}
	for _, seq := range seqs[1:] {
		if !e.backend.Copy(seqs[0], seq, len(prefix)) {
			return errRefused
		}
		e.tree.Fork(seqs[0], seq, len(prefix))
	}
	return nil
}

// shapes are the passes that are tried with up to n sequences.
func (e *Engine) shapes(n int) []StepCost {
	var out []StepCost
	for _, sequences := range slices.Compact([]int{1, n}) {
		for _, tokens := range calibration {
			if sequences*tokens <= min(e.limits.Batch, e.limits.Outputs) {
				out = append(out, StepCost{Sequences: sequences, Tokens: tokens})
			}
		}
	}
	return out
}

// timePass is what a pass of some tokens of each sequence takes at a depth,
// from where they are cut off again.
func (e *Engine) timePass(ctx context.Context, seqs []int, depth, tokens int, token Token) (time.Duration, error) {
	e.batch = e.batch[:0]
	for _, seq := range seqs {
		for i := range tokens {
			e.batch = append(e.batch, Input{Token: token, Pos: int32(depth + i), Seq: seq, Logits: true})
		}
	}
	start := time.Now()
	if err := e.backend.Decode(ctx, e.batch); err != nil {
		return 0, err
	}
	if _, err := e.backend.Logits(len(e.batch) - 1); err != nil { // waits for a GPU
		return 0, err
	}
	took := time.Since(start)
	for _, seq := range seqs {
		if !e.backend.Cut(seq, depth) {
			return 0, errRefused
		}
	}
	return took, nil
}
