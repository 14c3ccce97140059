package feedback

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
)

// pair is a pair under way: its judgements in both orders, each order one after another, so that they go on from the
// same beginning in one sequence.
type pair struct {
	*Session
	in         Pair
	seed       uint64
	principles []constitution.Principle
	label      Label
	open       int // orders that are not done
	cost       Cost
	done       func(Label, Cost) // takes the label
	idle       func()            // called when the engine has given the last answer, and done has returned
}

func (s *Session) newPair(in Pair, principles []constitution.Principle) *pair {
	p := &pair{Session: s, in: in, seed: digest.PairSeed(s.judge.settings.Seed, in.ID), principles: principles, idle: func() {}}
	p.label = Label{ID: in.ID, Index: in.Index, Pair: in.Hash(), Judgements: make([]Judgement, 2*len(p.principles))}
	return p
}

// begin asks for the first judgement of either order. It returns false when the pair is done already.
func (p *pair) begin() bool {
	if len(p.principles) == 0 {
		p.label.Error = fmt.Sprintf("no principle of constitution %s applies to the pair, whose tags are %q, language %q, jurisdiction %q",
			p.judge.doc.Name, p.in.Attributes.Tags, p.in.Attributes.Language, p.in.Attributes.Jurisdiction)
		p.done(p.label, p.cost)
		return false
	}
	p.open = 2
	given, swapped := &order{pair: p}, &order{pair: p, swapped: true}
	waits := given.nextJudgement()
	return swapped.nextJudgement() || waits
}

// onOrderDone takes an order that is done.
func (p *pair) onOrderDone() {
	if p.open--; p.open > 0 {
		return
	}
	if p.label.Error != "" {
		p.label.Judgements = nil
	} else {
		p.label.settle()
	}
	p.done(p.label, p.cost)
}

// order is one order of a pair's responses.
type order struct {
	*pair
	swapped bool
	at      int // the principle under which is judged now
	asked   *chat.Conversation
	key     Key
	answers answers
	reason  engine.Result // the reasoning whose answer is being scored
	text    string        // of that, up to the answer's stem
}

// judgement is the one under way.
func (o *order) judgement() *Judgement {
	i := 2 * o.at
	if o.swapped {
		i++
	}
	return &o.label.Judgements[i]
}

// nextJudgement asks until the order waits for the engine. It returns false when it does not: the order is done, or the run
// ends.
func (o *order) nextJudgement() bool {
	for o.at < len(o.principles) && o.label.Error == "" {
		if o.over() {
			return false
		}
		waits, err := o.ask()
		if err == nil && waits {
			return true
		}
		if err != nil {
			o.fail(err)
		}
	}
	o.onOrderDone()
	return false
}

// fail ends the pair with its reason. What only shares the end of the whole run has not failed.
func (o *order) fail(err error) {
	if stopped(err) {
		o.stop()
		return
	}
	if o.label.Error != "" {
		return // the other order failed before
	}
	o.label.Error = fmt.Sprintf("judging under principle %s: %v", o.principles[o.at].ID, err)
}

// ask takes the answer that is remembered, or asks the engine.
func (o *order) ask() (waits bool, err error) {
	p, s := o.principles[o.at], o.judge.settings
	if o.asked, err = o.judge.open(o.ctx, o.in, p, o.swapped); err != nil {
		return false, err
	}
	var seed uint64
	if s.Reasonings > 0 {
		seed = digest.ReasoningSeed(o.seed, p.ID, o.swapped, len(o.judgement().Reasonings))
	}
	if o.answers, err = newAnswers(o.ctx, o.asked, nil, words(s.Layout.alone(p))); err != nil {
		return false, err
	}
	o.key = o.judge.key(o.asked.Tokens, o.answers.options, seed)
	if m := o.judge.memory; m != nil {
		a, ok, err := m.Get(o.key)
		if err != nil {
			o.halt(fmt.Errorf("looking for a judgement of pair %s: %w", o.in.ID, err))
			return false, nil
		}
		if ok {
			o.accept(a)
			return false, nil
		}
	}
	switch {
	case o.engine == nil:
		return true, nil
	case s.Reasonings > 0:
		return true, o.reasonFirst(seed)
	}
	return true, o.score(o.asked.Tokens)
}

// reasonFirst asks for a reasoning.
func (o *order) reasonFirst(seed uint64) error {
	s := o.judge.settings
	return o.engine.Submit(&engine.Request{
		Tokens: o.asked.Tokens, MaxTokens: s.MaxTokens, Stop: append(slices.Clone(o.judge.format.Stops()), AnswerStem),
		Sampling: s.Sampling, Seed: seed,
		Done: func(r engine.Result) {
			if r.Err == nil {
				r.Err = o.scoreAnswer(r)
			}
			if r.Err != nil {
				o.fail(r.Err)
				o.advance()
			}
		},
	})
}

// scoreAnswer asks for the answer behind a reasoning.
func (o *order) scoreAnswer(r engine.Result) error {
	kept, err := o.judge.format.Keep(r.Tokens, r.Text, 0)
	if err != nil {
		return err
	}
	said, err := o.asked.Append(kept.Tokens, AnswerStem)
	if err != nil {
		return err
	}
	if o.answers, err = newAnswers(o.ctx, o.asked, said, words(false)); err != nil {
		return err
	}
	o.reason, o.text = r, kept.Text
	return o.score(slices.Concat(o.asked.Tokens, said))
}

// score asks how likely the answers are behind a prompt.
func (o *order) score(prompt []engine.Token) error {
	return o.engine.Score(&engine.Score{Tokens: prompt, Options: o.answers.options, Done: func(s engine.Scores) {
		if s.Err != nil {
			o.fail(s.Err)
		} else {
			o.onScores(s)
		}
		o.advance()
	}})
}

// onScores takes what the engine gave, and keeps it.
func (o *order) onScores(s engine.Scores) {
	a := Answer{LogProbs: o.answers.sum(s.LogProbs), Text: o.text, Prompt: s.Prompt, Reused: s.Reused}
	if o.judge.settings.Reasonings > 0 {
		a.Prompt, a.Reused, a.Decoded = o.reason.Prompt, o.reason.Reused, o.reason.Decoded
	}
	if m := o.judge.memory; m != nil {
		if err := m.Put(o.key, a); err != nil {
			o.halt(fmt.Errorf("keeping a judgement of pair %s: %w", o.in.ID, err))
			return
		}
	}
	o.accept(a)
}

// accept adds an answer to the judgement under way, and goes to the next principle when that is complete.
func (o *order) accept(a Answer) {
	s, j := o.judge.settings, o.judgement()
	o.cost.add(a)
	j.Principle, j.Swapped = o.principles[o.at].ID, o.swapped
	mass := math.Exp(a.LogProbs[0]) + math.Exp(a.LogProbs[1])
	j.Alone = s.Layout.alone(o.principles[o.at])
	p := 1 / (1 + math.Exp(a.LogProbs[1]-a.LogProbs[0])) // of option (A), or that the response keeps to the principle
	if o.swapped {
		p = 1 - p
	}
	if s.Reasonings == 0 {
		j.LogProbs, j.Mass, j.P, j.Invalid = a.LogProbs, mass, p, mass < s.MinMass
		o.at++
		return
	}
	p = min(max(p, s.Clamp[0]), s.Clamp[1])
	j.Reasonings = append(j.Reasonings, Reasoning{Text: strings.TrimSpace(a.Text), LogProbs: a.LogProbs, Mass: mass, P: p})
	if len(j.Reasonings) == s.Reasonings {
		j.average(s.MinMass)
		o.at++
	}
}

// average makes the judgement from its reasonings: the mean of those that are valid.
func (j *Judgement) average(minMass float64) {
	j.LogProbs, j.Mass = j.Reasonings[0].LogProbs, 0
	sum, n := 0.0, 0.0
	for _, r := range j.Reasonings {
		j.Mass += r.Mass / float64(len(j.Reasonings))
		if r.Mass >= minMass {
			sum += r.P
			n++
		}
	}
	if j.Invalid = n == 0; !j.Invalid {
		j.P = sum / n
	}
}

// advance asks for the next judgement, or says that the engine is free for others.
func (o *order) advance() {
	if !o.nextJudgement() && o.open == 0 {
		o.idle()
	}
}
