package engine

import (
	"context"
	"errors"
	"fmt"

	"amend/engine/internal/sched"
	"amend/engine/sample"
)

// step computes one batch: a prefill or a decode step of active turns.
func (e *Engine) step(ctx context.Context) error {
	plan, prefill := e.planner.Next(e.listJobs())
	e.fill(plan)
	prompts := e.promptTokens(plan)
	err := e.timed(prefill, func() error { return e.backend.Decode(ctx, e.batch) })
	if errors.Is(err, ErrNoSlot) {
		e.dropDrafted(plan)
		return e.preempt()
	}
	if err != nil {
		return err
	}
	e.stats.Prefilled += prompts
	e.countReads(plan)
	before := e.stats.Decoded
	for _, c := range plan {
		e.tree.Compute(c.Seq, e.tree.Computed(c.Seq)+c.Tokens+c.Draft)
	}
	for i := 0; i < len(e.outputs); {
		i = e.take(i)
	}
	if !prefill {
		e.stats.StepTokens += e.stats.Decoded - before
	}
	return nil
}

// listJobs is what each active turn has to compute, by sequence.
func (e *Engine) listJobs() []sched.Job {
	e.jobs = e.jobs[:0]
	for seq, t := range e.active {
		if t == nil {
			continue
		}
		j := sched.Job{Seq: seq, Pending: t.length() - e.tree.Computed(seq)}
		j.Wanted = min(j.Pending, t.length()-t.outputsFrom)
		if t.drafter != nil && j.Pending == 1 {
			j.ExpectedAccepted = t.drafter.ExpectedAccepted(t.mayGrow() - 1)
			j.Room = t.room - t.length()
		}
		e.jobs = append(e.jobs, j)
	}
	return e.jobs
}

// promptTokens is how many of the planned tokens are prompts': the rest is
// what decoding costs.
func (e *Engine) promptTokens(plan []sched.Chunk) int {
	n := 0
	for _, c := range plan {
		n += max(0, min(c.Tokens, len(e.active[c.Seq].request.Tokens)-e.tree.Computed(c.Seq)))
	}
	return n
}

// output is a place in the batch whose logits a turn wants. Those of one turn
// follow each other.
type output struct {
	turn    *turn
	index   int   // in the batch
	draft   Token // what comes next in the batch, where guessed is set
	drafted bool
}

// fill writes the planned tokens into the batch and notes where logits come.
func (e *Engine) fill(plan []sched.Chunk) {
	e.batch, e.outputs = e.batch[:0], e.outputs[:0]
	for _, c := range plan {
		t := e.active[c.Seq]
		from := e.tree.Computed(c.Seq)
		for pos := from; pos < from+c.Tokens; pos++ {
			wanted := pos >= t.outputsFrom
			if wanted {
				e.outputs = append(e.outputs, output{turn: t, index: len(e.batch)})
			}
			e.batch = append(e.batch, Input{Token: t.at(pos), Pos: int32(pos), Seq: c.Seq, Logits: wanted})
		}
		if c.Draft > 0 {
			e.fillDrafted(t, from+c.Tokens, c.Draft)
		}
	}
}

// take gives a turn its logits, from output i on, and returns the first output
// that is another turn's.
func (e *Engine) take(i int) int {
	t := e.outputs[i].turn
	next := i + 1
	for next < len(e.outputs) && e.outputs[next].turn == t {
		next++
	}
	if t.request.scoring != nil {
		e.takeScores(t, e.outputs[i:next])
	} else {
		e.takeTokens(t, e.outputs[i:next])
	}
	return next
}

// takeTokens samples a turn's next token, and as many more as its drafted tokens were
// right: each drafted token is compared with the token that is sampled in its place,
// so what comes out is what would come without drafting.
func (e *Engine) takeTokens(t *turn, outputs []output) {
	right := t.length() // leading tokens of the sequence that are the turn's
	var end End
	var err error
	for _, o := range outputs {
		var token Token
		if token, end, err = e.sampleNext(t, o.index); err != nil || end != "" {
			break
		}
		if !o.drafted || o.draft != token {
			break
		}
		right++
		e.stats.Accepted++
	}
	if e.tree.Len(t.seq) > right {
		right = e.cut(t.seq, right)
	}
	if err != nil || end != "" {
		e.finish(t, end, err)
		return
	}
	for pos := right; pos < t.length(); pos++ {
		e.tree.Append(t.seq, t.at(pos))
	}
	t.outputsFrom = t.length() - 1
}

// sampleNext draws a turn's next token, and says whether the turn ends by it.
func (e *Engine) sampleNext(t *turn, index int) (Token, End, error) {
	logits, err := e.backend.Logits(index)
	if err != nil {
		return 0, "", fmt.Errorf("reading logits: %w", err)
	}
	token, err := t.sampler.Sample(logits)
	if err != nil {
		return 0, "", err
	}
	e.stats.Decoded++
	t.decoded++
	had := len(t.generated)
	end, err := e.accept(t, token)
	if t.request.LogProbs {
		for i := range t.generated[had:] {
			p := 0.0
			if i == 0 {
				p = sample.LogProb(logits, token)
			}
			t.logProbs = append(t.logProbs, p)
		}
	}
	return token, end, err
}

// accept makes a token part of the turn, and those after it that a grammar
// leaves no choice about.
func (e *Engine) accept(t *turn, token Token) (End, error) {
	for {
		if e.vocab.Ends(token) && !t.request.IgnoreEnd {
			return EndToken, nil
		}
		if err := t.sampler.Accept(token); err != nil {
			return "", err
		}
		if t.drafter != nil {
			t.drafter.Add(token)
		}
		if end := t.add(token, e.vocab.Piece(token)); end != "" {
			return end, nil
		}
		forced, ok, err := t.sampler.Forced()
		if err != nil || !ok {
			return "", err
		}
		token = forced
		e.stats.Forced++
	}
}
