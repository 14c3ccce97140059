package revise

import (
	"context"
	"fmt"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/fit"
)

// fits reports whether principles are drawn by how well they fit: a model that tells nothing draws by weight alone.
func (s Settings) fits() bool { return s.Draw == Fitting && s.Fit != nil && s.Fit.Sharpness > 0 }

// FitQuestion writes down the question which principle a response to a prompt breaks, as the loop asks it.
func (l *Loop) FitQuestion(ctx context.Context, prompt, response string) (q fit.Question, err error) {
	r := &row{loop: l, in: Row{Messages: []chat.Message{{Role: chat.User, Text: prompt}}, Response: &response}}
	if err := r.open(); err != nil {
		return q, err
	}
	return fit.Ask(ctx, r.opening, r.draft, l.doc.Principles)
}

// askFit has the draft's principles weighed by how well they fit, and goes on with next.
func (r *row) askFit(next func() bool) bool {
	l := r.loop
	q, err := fit.Ask(l.context(), r.opening, r.draft, l.doc.Principles)
	if err != nil {
		return r.fail(err)
	}
	key := l.fitKey(q)
	out, ok, err := l.recall(key, 0)
	switch {
	case err != nil:
		return r.halt(fmt.Errorf("looking for how well principles fit row %s: %w", r.in.ID, err))
	case ok:
		return r.weigh(out.Scores, next)
	case l.planning:
		return true
	case l.isEnding():
		return false
	}
	err = l.scorer.Score(&engine.Score{Tokens: q.Tokens, Options: q.Titles, Done: func(s engine.Scores) {
		if !r.onFit(key, s, next) {
			l.startNext()
		}
	}})
	if err != nil {
		return r.fail(err)
	}
	return true
}

// onFit takes what the engine gave and keeps it.
func (r *row) onFit(key Key, s engine.Scores, next func() bool) bool {
	if s.Err != nil {
		return r.fail(s.Err)
	}
	scores := fit.Sum(s.LogProbs)
	if m := r.loop.memory; m != nil {
		if err := m.Put(key, TurnResult{Scores: scores, Prompt: s.Prompt, Reused: s.Reused}); err != nil {
			return r.halt(fmt.Errorf("keeping how well principles fit row %s: %w", r.in.ID, err))
		}
	}
	return r.weigh(scores, next)
}

// weigh lets the scores of titles say how likely each principle is drawn for the draft.
func (r *row) weigh(scores []float64, next func() bool) (goes bool) {
	doc, err := r.loop.settings.Fit.Weigh(r.loop.doc, scores)
	if err != nil {
		return r.fail(err)
	}
	r.doc, r.weighed = doc, true
	return next()
}

// fitKey is that of a question to be asked.
func (l *Loop) fitKey(q fit.Question) Key {
	e := digest.New(digest.FitDomain)
	e.Text(l.environment)
	e.Tokens(q.Tokens)
	e.Int(len(q.Titles))
	for _, t := range q.Titles {
		e.Tokens(t)
	}
	return Key(e.Sum())
}

// needFit is the most tokens that the question about a draft of so many tokens can come to hold.
func (r *row) needFit(draft int) (int, error) {
	q, err := fit.Ask(r.loop.context(), r.opening, nil, r.loop.doc.Principles)
	if err != nil {
		return 0, err
	}
	return q.Longest() + draft, nil
}
