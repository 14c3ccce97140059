package feedback

import (
	"context"
	"fmt"
	"math"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
)

// verdictWords are the answers to a VerdictRequest, as models write them.
var verdictWords = [][2]string{{SaidClean, SaidBreach}, {"Clean", "Breach"}}

// Question is what a verdict answers, and with which words.
type Question int

// The questions.
const (
	InAWord      Question = iota // VerdictRequest: clean or breach?
	Kept                         // Judge.Single: does the response keep to the principle? Yes is clean
	NothingFound                 // FoundRequest: is there anything to correct? No is clean
)

// FoundRequest asks whether the critique before it found something.
const FoundRequest = "So, is there anything to correct? Answer yes or no."

// words are the answers, that of a clean response first.
func (q Question) words() [][2]string {
	switch q {
	case Kept:
		return words(true)
	case NothingFound:
		return [][2]string{{answerNo, answerYes}, {"No", "Yes"}}
	default:
		return verdictWords
	}
}

// The answers to a VerdictRequest.
const (
	SaidClean  = "clean"
	SaidBreach = "breach"
)

// VerdictTokens is more than an answer can have: no tokenizer makes more than one token of a byte.
const VerdictTokens = len(" " + SaidBreach)

// VerdictRequest asks whether the response before it keeps to a principle, of which text is the words.
func VerdictRequest(text string) string { return "Clean or breach? " + text }

// Verdict is what the judge says of one response, in a word.
type Verdict struct {
	LogProbs [2]float64 `json:"logprobs"` // of the answers clean and breach, or yes and no, in all spellings, at temperature 1
	Mass     float64    `json:"mass"`     // as Judgement's
	P        float64    `json:"p"`        // that the response is clean
	Invalid  bool       `json:"invalid,omitempty"`
	Cost
}

// Clean reports whether the response is clean: an invalid verdict does not say so.
func (v Verdict) Clean() bool { return !v.Invalid && v.P > 0.5 }

// LogOdds are those of clean against breach.
func (v Verdict) LogOdds() float64 { return v.LogProbs[0] - v.LogProbs[1] }

// Single writes down the question whether a response to a conversation keeps to a principle, which has a verdict request:
// behind the worked judgements of single responses, with the principle last, so that all principles go on from one prefix.
func (j *Judge) Single(ctx context.Context, conversation []chat.Message, response string, p constitution.Principle) (*chat.Conversation, error) {
	return j.open(ctx, Pair{Messages: conversation, First: response}, p, false)
}

// Verdict asks for one, in a conversation that ends with the question. done gets it, or why there is none, once, unless the run ends before; what Verdict returns means what it means for Judge.
func (s *Session) Verdict(asked *chat.Conversation, q Question, done func(Verdict, error)) bool {
	asked, err := asked.Answer()
	if err != nil {
		return s.refused(err, done)
	}
	words, err := newAnswers(s.ctx, asked, nil, q.words())
	if err != nil {
		return s.refused(err, done)
	}
	key := s.judge.key(asked.Tokens, words.options, 0)
	if m := s.judge.memory; m != nil {
		a, ok, err := m.Get(key)
		if err != nil {
			s.halt(fmt.Errorf("looking for a verdict: %w", err))
			return false
		}
		if ok {
			done(s.judge.verdict(a), nil)
			return false
		}
	}
	switch {
	case s.engine == nil:
		return true
	case s.over():
		return false
	}
	err = s.engine.Score(&engine.Score{Tokens: asked.Tokens, Options: words.options, Done: func(r engine.Scores) {
		if r.Err != nil {
			s.refused(r.Err, done)
			return
		}
		a := Answer{LogProbs: words.sum(r.LogProbs), Prompt: r.Prompt, Reused: r.Reused}
		if m := s.judge.memory; m != nil {
			if err := m.Put(key, a); err != nil {
				s.halt(fmt.Errorf("keeping a verdict: %w", err))
				return
			}
		}
		done(s.judge.verdict(a), nil)
	}})
	if err != nil {
		return s.refused(err, done)
	}
	return true
}

// refused tells why there is no verdict. What only shares the end of the whole run is no reason.
func (s *Session) refused(err error, done func(Verdict, error)) bool {
	if stopped(err) {
		s.stop()
	} else {
		done(Verdict{}, err)
	}
	return false
}

func (j *Judge) verdict(a Answer) Verdict {
	v := Verdict{LogProbs: a.LogProbs, Mass: math.Exp(a.LogProbs[0]) + math.Exp(a.LogProbs[1])}
	v.P = 1 / (1 + math.Exp(a.LogProbs[1]-a.LogProbs[0]))
	v.Invalid = v.Mass < j.settings.MinMass
	v.add(a)
	return v
}
