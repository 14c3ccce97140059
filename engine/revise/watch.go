package revise

import "amend/engine"

// Asked is a turn that a row asks for.
type Asked struct {
	Row       string // id
	Kind      Kind
	Round     int
	Try       int
	Principle string         // id; empty for a response
	Request   string         // of the loop; empty for a response
	Tokens    []engine.Token // all that the model is sent
	Stored    bool           // the turn is remembered and not computed
}

// Watch tells f of every turn, before it is computed or when it is remembered. Only before Run and Plan.
func (l *Loop) Watch(f func(Asked)) { l.watch = f }

// Hear tells f of the text of the turn that is written, after every token (engine.Request.Said): for a run of one row, in
// which no two turns are written at once. Only before Run.
func (l *Loop) Hear(f func(text []byte)) { l.hear = f }

// tell tells of a turn that r.asked asks for.
func (r *row) tell(kind Kind, stored bool) {
	if r.loop.watch == nil {
		return
	}
	a := Asked{Row: r.in.ID, Kind: kind, Round: r.round, Try: r.try, Tokens: r.asked.Tokens, Stored: stored}
	switch kind {
	case Response:
	case Critique:
		a.Principle, a.Request = r.principle.ID, r.principle.CritiqueRequest
	case Revision:
		a.Principle, a.Request = r.principle.ID, r.principle.RevisionRequest
	}
	r.loop.watch(a)
}
