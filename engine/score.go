package engine

import (
	"amend/engine/sample"
	"fmt"
	"slices"
)

// Score asks how likely the model finds given continuations of a prompt: the
// log-probabilities of options. It costs prefill only. Options of one token
// all come from the prompt's own logits; the tokens of longer ones are computed
// on forks of the prompt, in one pass where there are sequences for all; options that
// differ in their last token only share a fork.
type Score struct {
	Tokens  []Token   // the prompt; found in the KV cache as a Request's is
	Options [][]Token // each at least one token
	// Done receives the result, once, on the engine's goroutine.
	Done func(Scores)
}

// Scores are the result of a Score.
type Scores struct {
	// LogProbs of each option's tokens, at temperature 1.
	LogProbs [][]float64
	Prompt   int // tokens of the prompt
	Reused   int // of these, found in the KV cache
	Err      error
}

// scoring is what makes a Request score tokens instead of generating any.
type scoring struct {
	from int // position of the first token whose logits are wanted
	take func(i int, logits []float32) error
}

// Score queues a score. It fails with a *TooLongError when it can never fit,
// and then Done is not called.
func (e *Engine) Score(s *Score) error {
	longest := 0
	for i, o := range s.Options {
		if len(o) == 0 {
			return fmt.Errorf("scoring %d options: number %d has no tokens", len(s.Options), i)
		}
		longest = max(longest, len(o))
	}
	if len(s.Tokens) == 0 || longest == 0 {
		return fmt.Errorf("scoring %d options after %d tokens: both must be at least 1", len(s.Options), len(s.Tokens))
	}
	if room := e.roomFor(s.Tokens); len(s.Tokens)+longest > room {
		return &TooLongError{Prompt: len(s.Tokens), MaxTokens: longest, Context: room}
	}
	job := &scoreJob{engine: e, score: s, out: Scores{LogProbs: make([][]float64, len(s.Options)), Prompt: len(s.Tokens)}}
	return e.queue(&Request{
		Tokens:  s.Tokens,
		scoring: &scoring{from: len(s.Tokens) - 1, take: func(_ int, logits []float32) error { return job.first(logits) }},
		Done:    job.prompted,
	})
}

// scoreJob is a Score under way.
type scoreJob struct {
	engine *Engine
	score  *Score
	out    Scores
	open   int // options whose further tokens are being computed
}

// first takes the logits after the prompt: every option's first token.
func (j *scoreJob) first(logits []float32) error {
	tokens := make([]Token, len(j.score.Options))
	for i, o := range j.score.Options {
		for _, t := range o {
			if t < 0 || int(t) >= len(logits) {
				return fmt.Errorf("option %d has token %d, the model's last is %d", i, t, len(logits)-1)
			}
		}
		tokens[i] = o[0]
	}
	for i, p := range sample.LogProbs(logits, tokens) {
		j.out.LogProbs[i] = append(make([]float64, 0, len(j.score.Options[i])), p)
	}
	return nil
}

// prompted asks for the rest of options that have more than one token. Those that differ in their last token only are
// computed together.
func (j *scoreJob) prompted(r Result) {
	j.out.Reused, j.out.Err = r.Reused, r.Err
	j.open = 1
	var asked []int // the first option of each request
	for i, o := range j.score.Options {
		shared := slices.ContainsFunc(asked, func(k int) bool { return j.together(k, i) })
		if len(o) == 1 || shared || j.out.Err != nil {
			continue
		}
		asked = append(asked, i)
		j.open++
		if j.out.Err = j.engine.queue(j.rest(i)); j.out.Err != nil {
			j.open--
		}
	}
	j.closeOne()
}

// together reports whether two options differ in their last token only.
func (j *scoreJob) together(a, b int) bool {
	x, y := j.score.Options[a], j.score.Options[b]
	return len(x) == len(y) && slices.Equal(x[:len(x)-1], y[:len(y)-1])
}

// rest is the request for the tokens after the first of option i, and of those that go together with it.
func (j *scoreJob) rest(i int) *Request {
	n, option := len(j.score.Tokens), j.score.Options[i]
	tokens := append(append(make([]Token, 0, n+len(option)), j.score.Tokens...), option[:len(option)-1]...)
	return &Request{
		Tokens: tokens,
		scoring: &scoring{from: n, take: func(k int, logits []float32) error {
			for o := i; o < len(j.score.Options); o++ {
				if j.together(i, o) {
					j.out.LogProbs[o] = append(j.out.LogProbs[o][:1+k], sample.LogProb(logits, j.score.Options[o][1+k]))
				}
			}
			return nil
		}},
		Done: func(r Result) {
			if j.out.Err == nil {
				j.out.Err = r.Err
			}
			j.closeOne()
		},
	}
}

func (j *scoreJob) closeOne() {
	if j.open--; j.open == 0 {
		j.engine.stats.Scored += len(j.score.Options)
		j.score.Done(j.out)
	}
}

// takeScores gives a scoring turn its logits. The turn ends with those of its
// last token.
func (e *Engine) takeScores(t *turn, outputs []output) {
	for _, o := range outputs {
		logits, err := e.backend.Logits(o.index)
		if err == nil {
			err = sample.Check(logits) // refuses what is no number
		}
		if err == nil {
			err = t.request.scoring.take(t.decoded, logits)
		}
		if err != nil {
			t.decoded = 0
			e.finish(t, "", fmt.Errorf("scoring after %d tokens: %w", len(t.request.Tokens), err))
			return
		}
		t.decoded++
	}
	if e.tree.Computed(t.seq) == t.length() {
		t.decoded = 0 // nothing was sampled
		e.finish(t, "", nil)
	}
}
