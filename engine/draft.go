package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"amend/engine/internal/lookup"
	"amend/engine/internal/sched"
)

// StepCost is what one pass over the weights took: Sequences sequences with
// Tokens tokens each. A list of them says how many guessed tokens pay.
type StepCost = sched.Cost

// Speculate makes turns that start from now on try tokens that are looked up in
// their conversation, where costs, measured by Calibrate in this run or an
// earlier one, say that it pays. Tokens stay the same, and so does what they
// are drawn from: a guess counts when the token sampled in its place is equal.
// A memory that cannot be cut, as wrong guesses must be, goes without.
func (e *Engine) Speculate(costs []StepCost) {
	e.planner.Costs = nil
	if len(costs) > 0 && !e.limits.Uncuttable {
		e.planner.Costs = sched.NewCosts(costs)
	}
}

// newDrafter returns what guesses for a request, or nil: a grammar's state
// cannot go back.
func (e *Engine) newDrafter(r *Request) *lookup.Drafter {
	if e.planner.Costs == nil || r.scoring != nil || r.Grammar != nil {
		return nil
	}
	return lookup.New(r.Tokens)
}

// fillGuesses puts n guesses behind a turn's tokens in the batch, from position
// pos. In streams a turn may have fewer of its own than the step has room for;
// it is padded with its last token, since unequal counts would cost passes.
func (e *Engine) fillGuesses(t *turn, pos, n int) {
	guesses := t.drafter.Guess(n)
	e.guesses = append(e.guesses[:0], guesses...)
	for len(e.guesses) < n {
		e.guesses = append(e.guesses, t.at(t.length()-1))
	}
	e.stats.Guesses += n
	for i, g := range e.guesses {
		last := &e.outputs[len(e.outputs)-1]
		last.guess, last.guessed = g, true
		e.outputs = append(e.outputs, output{turn: t, index: len(e.batch)})
		e.batch = append(e.batch, Input{Token: g, Pos: int32(pos + i), Seq: t.seq, Logits: true})
	}
	e.tree.Append(t.seq, e.guesses...)
}

// dropGuesses takes a plan's guesses back from the tree, when the step was not
// made.
func (e *Engine) dropGuesses(plan []sched.Chunk) {
	for _, c := range plan {
		e.tree.Truncate(c.Seq, e.active[c.Seq].length())
	}
}

// calibration is what Calibrate tries: tokens of each sequence in one pass. Two
// runs of each, the faster counts.
var calibration = [...]int{1, 2, 4, 8}

// CalibrationSteps is about what Calibrate costs, in full decode steps.
const CalibrationSteps = 20

// Calibrate measures what passes of one to n sequences cost below prefix, which
// should be as long as the rows' conversations, on an engine that runs nothing.
// The cache is empty afterwards but for what is pinned. The result is for
// Speculate, of this engine or of one made in a later run: what is measured to
// choose a setting is measured once. It is empty where guesses cannot be: in a
// memory that cannot be copied or cut (states, a window in unified cells).
func (e *Engine) Calibrate(ctx context.Context, prefix []Token, n int) ([]StepCost, error) {
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
	depth := min(len(prefix), e.limits.Context-calibration[len(calibration)-1])
	if len(free) == 0 || depth < 1 || e.limits.Uncuttable {
		return nil, nil
	}
	defer func() {
		for _, seq := range free {
			e.clear(seq)
		}
	}()
	costs, err := e.timePasses(ctx, prefix[:depth], free)
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
func (e *Engine) timePasses(ctx context.Context, prefix []Token, free []int) ([]StepCost, error) {
	if err := e.lay(ctx, prefix, free); err != nil {
		return nil, err
	}
	var costs []StepCost
	for _, sequences := range []int{1, 4, len(free)} {
		if sequences > len(free) || (len(costs) > 0 && sequences <= costs[len(costs)-1].Sequences) {
			continue
		}
		for _, tokens := range calibration {
			if sequences*tokens > min(e.limits.Batch, e.limits.Outputs) {
				break
			}
			cost, err := e.timePass(ctx, free[:sequences], len(prefix), tokens, prefix[0])
			if err != nil {
				return nil, err
			}
			costs = append(costs, StepCost{Sequences: sequences, Tokens: tokens, Seconds: cost.Seconds()})
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
	if hit.Seq >= 0 && e.backend.Copy(hit.Seq, seqs[0], hit.Computed) {
		e.tree.Fork(hit.Seq, seqs[0], hit.Computed)
		have = hit.Computed
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

// timePass computes tokens more tokens of each sequence, twice, and takes them
// off again.
func (e *Engine) timePass(ctx context.Context, seqs []int, depth, tokens int, token Token) (time.Duration, error) {
	best := time.Duration(0)
	for try := range 3 { // the first warms up
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
		if took := time.Since(start); try > 0 && (best == 0 || took < best) {
			best = took
		}
		for _, seq := range seqs {
			if !e.backend.Cut(seq, depth) {
				return 0, errRefused
			}
		}
	}
	return best, nil
}
