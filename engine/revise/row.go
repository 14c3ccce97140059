package revise

import (
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/sample"
)

// row is one input on its way through the loop.
type row struct {
	loop   *Loop
	in     Row
	record Record

	opening    *chat.Conversation // what the first response follows
	base       *chat.Conversation // what the next critique request follows, less the draft
	asked      *chat.Conversation // what the turn under way was asked
	draft      []engine.Token     // the newest response
	draftText  string
	critique   string
	round      int
	principle  constitution.Principle
	remembered int // turns that were remembered

	try      int                    // of the round's revision; 0 is the first
	tried    []string               // principles that were drawn in the round
	tryTurns int                    // that this try has
	doc      *constitution.Document // what principles are drawn from: the loop's, or weighed by how well they fit the draft
	weighed  bool                   // doc is
	breaches map[string]float64     // how likely the draft breaks a principle, by those that it was asked about
}

func (l *Loop) newRow(in Row) *row {
	r := &row{loop: l, in: in, doc: l.doc}
	r.record = Record{ID: in.ID, Index: in.Index, Seed: RowSeed(l.settings.Seed, in.ID), Sample: in.Sample, Attributes: in.Attributes, Messages: in.Messages}
	if l.settings.Gate != nil || l.settings.Verdicts != nil || l.settings.retries() || l.settings.leavesDeclined() || l.settings.asksCritiques() {
		r.record.Gated = &Gated{Verdicts: []Verdict{}}
	}
	return r
}

// open makes the row's conversations and, when a response was given, its draft.
func (r *row) open() (err error) {
	l := r.loop
	if r.base, err = l.format.Open(l.context(), l.with(r.in.Messages)); err != nil {
		return err
	}
	if r.opening = r.base; l.settings.Demonstrations == BeforeCritique {
		if r.opening, err = l.format.Open(l.context(), l.without(r.in.Messages)); err != nil {
			return err
		}
		if l.settings.Rounds == 0 {
			r.base = r.opening // nothing is read behind demonstrations
		}
	}
	switch {
	case r.in.Initial != nil && r.in.Initial.Error != "":
		return fmt.Errorf("its first response failed: %s", r.in.Initial.Error)
	case r.in.Initial != nil:
		r.draftText = r.in.Initial.Turn.Text
	case r.in.Response != nil:
		r.draftText = *r.in.Response
	default:
		return nil
	}
	r.draft, err = r.base.Reply(l.context(), r.draftText)
	return err
}

// with puts the preamble before a row's messages. A row's own system text
// takes the place of the run's; such a row shares no prefix with others.
func (l *Loop) with(msgs []chat.Message) []chat.Message {
	if len(msgs) > 0 && msgs[0].Role == chat.System {
		return slices.Concat(msgs[:1], l.bare, msgs[1:])
	}
	return slices.Concat(l.shots, msgs)
}

// without puts the run's system text before the messages of a row that has none of its own.
func (l *Loop) without(msgs []chat.Message) []chat.Message {
	if len(msgs) > 0 && msgs[0].Role == chat.System || l.settings.System == "" {
		return msgs
	}
	return slices.Concat([]chat.Message{{Role: chat.System, Text: l.settings.System}}, msgs)
}

// begin starts the row's first turn. It returns false when the row has ended
// already: it failed, or there is nothing to generate.
func (r *row) begin() bool {
	if err := r.open(); err != nil {
		return r.fail(err)
	}
	first := Turn{Kind: Response, Text: r.draftText, End: EndGiven}
	switch {
	case r.in.Initial != nil:
		first = r.in.Initial.Turn
	case r.in.Response == nil:
		return r.submit(Response, r.opening)
	}
	first.Tokens = r.draft // as this model reads it
	r.record.Turns = append(r.record.Turns, first)
	return r.nextRound()
}

// nextRound begins another round, or ends the row.
func (r *row) nextRound() bool {
	if r.round == r.loop.settings.Rounds {
		return r.complete()
	}
	r.round++
	if r.loop.settings.leavesDeclined() && !r.record.isSafe() && r.loop.checker.Declines(r.draftText) {
		r.record.Gated.Declined = r.round
		return r.complete()
	}
	r.try, r.tried = 0, nil
	return r.propose()
}

// complete emits the finished row.
func (r *row) complete() bool {
	r.loop.deliver(r.record)
	return false
}

// propose begins a try: it draws a principle, and none again before all were.
func (r *row) propose() bool {
	switch {
	case r.loop.settings.Draw == Targeted:
		return r.aim()
	case r.loop.settings.fits() && !r.weighed:
		return r.askFit(r.propose)
	}
	p, ok := r.untried()
	if len(r.tried) == 0 || !ok {
		r.tried = nil
		p, ok = r.doc.Draw(r.record.Seed, r.round, r.in.Attributes)
	}
	if !ok {
		return r.fail(fmt.Errorf("no principle of constitution %s applies to the row, whose tags are %q, language %q, jurisdiction %q",
			r.loop.doc.Name, r.in.Attributes.Tags, r.in.Attributes.Language, r.in.Attributes.Jurisdiction))
	}
	r.principle, r.tryTurns = p, 0
	r.tried = append(r.tried, p.ID)
	if r.isAsked() {
		return r.askVerdict(p, r.decide)
	}
	return r.criticize()
}

// criticize asks for a critique of the newest draft, or for its revision where there are to be no critiques.
func (r *row) criticize() bool {
	if r.loop.settings.NoCritique {
		return r.ask(Revision, r.base, r.draft, r.principle.RevisionRequest)
	}
	return r.ask(Critique, r.base, r.draft, r.principle.CritiqueRequest)
}

// ask goes on from a conversation with the assistant's reply and a request.
func (r *row) ask(kind Kind, from *chat.Conversation, reply []engine.Token, request string) bool {
	c, err := from.Next(r.loop.context(), reply, chat.Message{Text: request})
	if err != nil {
		return r.fail(err)
	}
	return r.submit(kind, c)
}

// submit gives a turn to the engine, unless it is remembered. Like onTurn it returns false when the row has ended.
func (r *row) submit(kind Kind, c *chat.Conversation) bool {
	s := r.loop.settings
	r.asked = c
	seed := TrySeed(TurnSeed(r.record.Seed, r.round, kind), r.try)
	key := r.loop.key(kind, c.Tokens, seed)
	out, ok, err := r.loop.recall(key, s.Limit(kind))
	if err != nil {
		return r.halt(fmt.Errorf("looking for the %s of row %s, round %d, among the turns that are done: %w", kind, r.in.ID, r.round, err))
	}
	r.tell(kind, ok)
	if ok {
		r.remembered++
		return r.onTurn(kind, seed, out)
	}
	if r.loop.planning {
		return true
	}
	if r.loop.isEnding() {
		return false // the row goes on in another run
	}
	request := &engine.Request{
		Tokens: c.Tokens, MaxTokens: s.Limit(kind), Stop: r.loop.format.Stops(),
		Sampling: s.SamplingOf(kind), LogProbs: s.LogProbs, Seed: seed, Said: r.loop.hear,
		Done: func(res engine.Result) {
			if !r.onResult(kind, key, seed, res) {
				r.loop.startNext()
			}
		},
	}
	if kind == Critique && s.CritiqueGrammar != nil {
		draft := r.draft
		request.Grammar = func() (sample.Grammar, error) { return s.CritiqueGrammar(draft) }
	}
	if err := r.loop.writer.Submit(request); err != nil {
		return r.fail(err)
	}
	return true
}

// onResult takes what the engine gave and keeps it.
func (r *row) onResult(kind Kind, key Key, seed uint64, res engine.Result) bool {
	if res.Err != nil {
		return r.fail(res.Err)
	}
	out := TurnResult{
		Tokens: res.Tokens, Text: res.Text, End: res.End, Limit: r.loop.settings.Limit(kind),
		Prompt: res.Prompt, Reused: res.Reused, Decoded: res.Decoded,
	}
	if r.loop.settings.LogProbs {
		out.LogProb = new(float64)
		for _, p := range res.LogProbs {
			*out.LogProb += p
		}
	}
	if r.loop.memory != nil {
		if err := r.loop.memory.Put(key, out); err != nil {
			return r.halt(fmt.Errorf("keeping the %s of row %s, round %d: %w", kind, r.in.ID, r.round, err))
		}
	}
	return r.onTurn(kind, seed, out)
}

// onTurn takes a finished turn and starts the next. It returns false when the
// row has ended.
func (r *row) onTurn(kind Kind, seed uint64, out TurnResult) bool {
	open := chat.PromptOpensThink(r.asked.Tail, r.loop.settings.Think)
	think, _, start := chat.SplitThink(out.Text, r.loop.settings.Think, open)
	kept, err := r.loop.format.Keep(out.Tokens, out.Text, start)
	if err != nil {
		return r.fail(err)
	}
	t := Turn{
		Kind: kind, Round: r.round, Try: r.try, Text: kept.Text, Think: think, End: out.End,
		Tokens: kept.Tokens, Retokenized: kept.Retokenized,
		Prompt: out.Prompt, Reused: out.Reused, Decoded: out.Decoded, Seed: seed, LogProb: out.LogProb,
	}
	switch kind {
	case Response: // asked for by the row itself, before there is a draft
	case Critique:
		t.Principle, t.Request = r.principle.ID, r.principle.CritiqueRequest
	case Revision:
		t.Principle, t.Request = r.principle.ID, r.principle.RevisionRequest
	}
	r.record.Turns = append(r.record.Turns, t)
	r.flag()
	r.tryTurns++
	return r.advance(kind, kept)
}

// advance moves the row to its next turn: response, then critique and revision alternately.
func (r *row) advance(kind Kind, kept chat.Kept) bool {
	newest := r.record.Turns[len(r.record.Turns)-1]
	switch {
	case kind == Critique && r.loop.settings.retries() && isUnusable(newest.Flags):
		return r.refuse(BadCritique, "")
	case kind == Critique:
		r.critique = kept.Text
		if r.loop.settings.asksCritiques() {
			return r.askCritique(kept.Tokens)
		}
		return r.ask(Revision, r.asked, kept.Tokens, r.principle.RevisionRequest)
	case kind == Revision && r.loop.settings.retries() && len(newest.Flags) > 0:
		return r.refuse(Flagged, "")
	case kind == Revision && r.loop.settings.Gate != nil:
		return r.judgeRevision(kept)
	}
	return r.setDraft(kind, kept)
}

// setDraft makes a response or a revision the draft.
func (r *row) setDraft(kind Kind, kept chat.Kept) bool {
	if r.loop.settings.Mode == Append && kind == Revision {
		r.base = r.asked
	}
	r.draft, r.draftText, r.breaches = kept.Tokens, kept.Text, nil
	r.doc, r.weighed = r.loop.doc, false
	if r.record.Gated != nil {
		r.record.Gated.Clean = 0
	}
	return r.nextRound()
}

// halt ends the whole run: what it is to keep could not be kept.
func (r *row) halt(err error) bool {
	if r.loop.err == nil {
		r.loop.err = err
	}
	r.loop.stop()
	return false
}

// fail ends the row with its reason. A row that only shares the end of the
// whole run has not failed: it will be run again.
func (r *row) fail(err error) bool {
	if stopped(err) {
		r.loop.stop() // no further row is begun
		return false
	}
	r.record.Error = err.Error()
	r.loop.deliver(r.record)
	return false
}
