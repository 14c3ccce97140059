package revise

import (
	"context"
	"fmt"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/feedback"
)

// Key names a turn by all that made it: the exact token ids of its prompt, model and settings, sampling and seed. The
// date that a template shows is among the ids. The limit on its length is not part of it: Output says whether it counted.
type Key digest.Sum

// TurnResult is what the engine gave for a turn, before anything is derived from it.
type TurnResult struct {
	Tokens  []engine.Token // generated
	Text    string         // their bytes; may end inside a UTF-8 character
	End     engine.End
	Limit   int      // of tokens, that the turn was under
	LogProb *float64 // of Tokens together; nil unless asked for
	// Scores are the log-probabilities of given answers, where a question was asked and nothing was to be generated.
	Scores []float64

	Prompt, Reused, Decoded int // tokens, as in engine.Result
}

// Holds reports whether a turn would come out the same under another limit. How long one is that a server wrote may not be
// known.
func (o TurnResult) Holds(limit int) bool {
	if o.End == engine.EndLength || o.Decoded == 0 {
		return o.Limit == limit
	}
	return o.Limit == limit || o.Decoded <= limit
}

// Memory keeps turns that the engine has finished. A turn that it recalls is not computed again: so a row goes on where
// a killed process left it, and one whose constitution was edited keeps every turn that the edit did not reach.
type Memory interface {
	// Get returns the turn of this key; ok is false where there is none.
	Get(Key) (o TurnResult, ok bool, err error)
	// Put keeps a turn, in the place of one of the same key. When it returns, a killed process does not lose it.
	Put(Key, TurnResult) error
}

// Use makes the loop take turns from m and keep them there. environment names the model and the settings that its
// logits depend on. Only before Run.
func (l *Loop) Use(m Memory, environment string) {
	l.memory, l.environment = m, environment
	if g := l.settings.Gate; g != nil {
		g.Judge.Use(judgements{m}, environment)
	}
	if v := l.settings.Verdicts; v != nil {
		v.Judge.Use(judgements{m}, environment)
	}
	if v := l.settings.Reading; v != nil {
		v.Judge.Use(judgements{m}, environment)
	}
}

// judgements keeps what a gate's judge is asked among the turns.
type judgements struct{ Memory }

// Get returns an answer.
func (m judgements) Get(key feedback.Key) (a feedback.Answer, ok bool, err error) {
	o, ok, err := m.Memory.Get(Key(key))
	if err != nil || !ok {
		return a, false, err
	}
	if len(o.Scores) != len(a.LogProbs) {
		return a, false, fmt.Errorf("an answer of a judge has %d scores, not %d", len(o.Scores), len(a.LogProbs))
	}
	return feedback.Answer{LogProbs: [2]float64(o.Scores), Text: o.Text, Prompt: o.Prompt, Reused: o.Reused, Decoded: o.Decoded}, true, nil
}

// Put keeps an answer.
func (m judgements) Put(key feedback.Key, a feedback.Answer) error {
	return m.Memory.Put(Key(key), TurnResult{Scores: a.LogProbs[:], Text: a.Text, Prompt: a.Prompt, Reused: a.Reused, Decoded: a.Decoded})
}

// Plan is what a run of some rows would take from its memory.
type Plan struct {
	Rows   int `json:"rows"`          // to be done
	Whole  int `json:"whole"`         // of these, with every turn remembered
	Reused int `json:"reused"`        // turns that are remembered
	Turns  int `json:"turns"`         // that the engine would be asked for
	Prompt int `json:"prompt_tokens"` // that these would read besides preambles and answers, with the longest of requests
	Drafts int `json:"drafts_again"`  // answers that would be read again, as drafts
}

// Add is the plan of two sets of rows together.
func (p Plan) Add(q Plan) Plan {
	return Plan{p.Rows + q.Rows, p.Whole + q.Whole, p.Reused + q.Reused, p.Turns + q.Turns, p.Prompt + q.Prompt, p.Drafts + q.Drafts}
}

// Plan counts, for rows that are to be done, the turns that are remembered and those that are not. A turn that follows
// one which is not remembered counts as not remembered: what it would be asked is not known yet.
func (l *Loop) Plan(ctx context.Context, rows []Row) (Plan, error) {
	p := Plan{Rows: len(rows)}
	l.ctx, l.stop = context.WithCancel(ctx)
	defer l.stop()
	l.err, l.writer, l.planning = nil, nil, true
	l.startJudges(nil)
	defer func() { l.planning = false }()
	for _, in := range rows {
		r := l.newRow(in)
		ended := false
		l.emit = func(Record) error { ended = true; return nil }
		r.begin()
		if l.err != nil {
			return p, l.err
		}
		if err := ctx.Err(); err != nil {
			return p, err
		}
		p.Reused += r.remembered
		if ended { // a row that fails ends early, too
			p.Whole++
			continue
		}
		p.Turns += r.left()
		p.Prompt += r.unread()
		p.Drafts += r.again()
	}
	return p, nil
}

// unread is how many tokens the row's turns that are left will read: its conversation so far without the preamble, and
// requests.
func (r *row) unread() int {
	n := len(r.base.Tokens) + len(r.draft)
	if r.loop.isShared(r.base) {
		n -= len(r.loop.prefix)
	}
	if r.opening != r.base && len(r.record.Turns) == 0 {
		n += len(r.opening.Tokens)
	}
	round := r.loop.asks.revision
	if !r.loop.settings.NoCritique {
		round += r.loop.asks.critique
	}
	return n + (r.loop.settings.Rounds-max(0, r.round-1))*round
}

// again is how many answers the row's turns that are left will read a second time: in faithful mode each new draft, and a
// first response where the demonstrations come between.
func (r *row) again() int {
	n := 0
	if r.loop.settings.Mode == Faithful {
		n = max(0, r.loop.settings.Rounds-max(1, r.round))
	}
	if r.opening != r.base && len(r.record.Turns) == 0 && r.loop.settings.Rounds > 0 {
		n++
	}
	return n
}

// AnswerTokens is how long an answer is where the model answers as the demonstrations do: the mean of their responses,
// critiques and revisions; 0 without demonstrations.
func (l *Loop) AnswerTokens() int {
	turns, tokens := 0, 0
	for _, m := range l.shots {
		if m.Role == chat.Assistant {
			turns++
			tokens += len(m.Tokens)
		}
	}
	return tokens / max(1, turns)
}

// left is how many turns the row will have beside those that it has, without any that a gate's refusals would add or
// its verdicts save.
func (r *row) left() int {
	if len(r.record.Turns) == 0 {
		return r.loop.Turns()
	}
	round := r.loop.roundTurns()
	return max(0, round-r.tryTurns) + (r.loop.settings.Rounds-r.round)*round
}

// Turns is how many turns a row has, its first response included, without any that a gate's refusals add or its verdicts
// save.
func (l *Loop) Turns() int { return 1 + l.settings.Rounds*l.roundTurns() }

// roundTurns is how many turns a round has.
func (l *Loop) roundTurns() int {
	if l.settings.NoCritique {
		return 1
	}
	return 2
}

// recall looks for a turn that need not be computed.
func (l *Loop) recall(key Key, limit int) (TurnResult, bool, error) {
	if l.memory == nil {
		return TurnResult{}, false, nil
	}
	o, ok, err := l.memory.Get(key)
	return o, ok && o.Holds(limit), err
}

// key is that of a turn to be asked for.
func (l *Loop) key(kind Kind, tokens []engine.Token, seed uint64) Key {
	s := l.settings
	e := digest.New(digest.TurnDomain)
	e.Text(l.environment)
	e.Tokens(tokens)
	e.Number(seed)
	stops := l.format.Stops()
	e.Int(len(stops))
	for _, stop := range stops {
		e.Text(stop)
	}
	s.SamplingOf(kind).Encode(&e)
	grammar := ""
	if kind == Critique {
		grammar = s.CritiqueGrammarName
	}
	e.Text(grammar)
	e.Text(s.Think.Open)
	e.Text(s.Think.Close)
	if s.LogProbs {
		e.Number(1)
	}
	return Key(e.Sum())
}
