// Package oracle judges a run of the testbed model against its world's truth: what each round's responses break, what
// its critiques see, what its revisions repair, lose and spoil.
package oracle

import (
	"fmt"
	"iter"
	"slices"

	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/stats"
	"amend/models/testbed"
)

// Outcome is what the oracle says of a run.
type Outcome struct {
	// Foreign rows have a prompt that is not of the testbed's world, Failed ones ended with an error: no figure
	// counts them.
	Foreign int     `json:"foreign"`
	Failed  int     `json:"failed"`
	Rounds  []Round `json:"rounds"` // first responses first
	// Worse are the rows whose last answer breaks a rule that their first response kept.
	Worse stats.Share `json:"worse"`
}

// Round is what the oracle says of the answers after one round. Those of rows whose draft stayed are their drafts.
type Round struct {
	Round      int            `json:"round"`
	Rows       int            `json:"rows"`
	Violations int            `json:"violations"` // rows that break at least one rule
	Violating  stats.Share    `json:"violating"`  // the same as a share
	Broken     map[string]int `json:"broken"`     // rows that break a rule, by rule
	InGrammar  stats.Share    `json:"in_grammar"`
	Facts      float64        `json:"facts"`      // useful facts in a response, in the mean
	KeptFacts  stats.Share    `json:"kept_facts"` // of the first responses' facts
	// Critiques are all of this round, Revisions those that took their draft's place; nil for first responses.
	Critiques *Critiques `json:"critiques,omitempty"`
	Revisions *Revisions `json:"revisions,omitempty"`
}

// Critiques are the marks of a round's critiques.
type Critiques struct {
	WellFormed stats.Share `json:"well_formed"`
	Precision  stats.Share `json:"precision"` // flags that are right, of all flags
	Recall     stats.Share `json:"recall"`    // breaches flagged, of those that the drawn principle covers
}

// Revisions are the marks of a round's revisions.
type Revisions struct {
	Fixed stats.Share `json:"fixed"` // rightly flagged drafts whose breaches are gone
	Only  stats.Share `json:"only"`  // revisions that change nothing but what was flagged
	Worse stats.Share `json:"worse"` // that break a rule which the draft kept
	Lost  stats.Share `json:"lost"`  // that lose a useful fact
}

// Of judges finished rows of a run of so many rounds.
func Of(w *testbed.World, rounds int, rows iter.Seq2[revise.Record, error]) (Outcome, error) {
	t := tally{world: w, last: rounds}
	for rec, err := range rows {
		if err != nil {
			return Outcome{}, err
		}
		if err := t.add(rec); err != nil {
			return Outcome{}, err
		}
	}
	return t.outcome(), nil
}

// Answer is what a row answers after one round.
type Answer struct {
	Text   string
	Broken []int // the rules that it breaks: their places among the world's
	Facts  int   // useful facts that it has
	// InGrammar is false where a sentence is not of the world, Doubtful true where such a one may break a rule.
	InGrammar, Doubtful bool
}

// Answers are a row's answers after each of so many rounds, the first response first; ok is false for rows that no figure
// counts.
func Answers(w *testbed.World, rounds int, rec revise.Record) (answers []Answer, ok bool) {
	p, ok := Prompt(w, rec)
	if !ok || rec.Error != "" {
		return nil, false
	}
	for round := range rounds + 1 {
		turn, _ := rec.After(round)
		answers = append(answers, newAnswer(w, p, turn.Text))
	}
	return answers, true
}

func newAnswer(w *testbed.World, p testbed.Prompt, text string) Answer {
	r := w.ReadResponse(p, text)
	return Answer{text, r.Broken(), len(r.Facts()), r.InGrammar(), w.Doubtful(r)}
}

// tally counts rows.
type tally struct {
	world   *testbed.World
	foreign int
	failed  int
	last    int // round of the run
	worse   int // rows that Outcome.Worse counts
	rounds  []counts
}

// counts of one round.
type counts struct {
	rows, violating, inGrammar, facts, kept, firstFacts int

	broken map[string]int

	critiques, wellFormed, flags, right, due             int
	revisions, only, worse, lost, rightly, rightlyMended int
}

// Prompt is the prompt that a record's responses answer: its last message.
func Prompt(w *testbed.World, rec revise.Record) (testbed.Prompt, bool) {
	if len(rec.Messages) == 0 {
		return testbed.Prompt{}, false
	}
	last := rec.Messages[len(rec.Messages)-1]
	p, ok := w.ReadPrompt(last.Text)
	return p, ok && last.Role == chat.User
}

func (t *tally) add(rec revise.Record) error {
	if rec.Error != "" {
		t.failed++
		return nil
	}
	p, ok := Prompt(t.world, rec)
	if !ok {
		t.foreign++
		return nil
	}
	row := judged{tally: t, prompt: p}
	for _, turn := range rec.Turns {
		if err := row.add(turn); err != nil {
			return fmt.Errorf("row %s: %w", rec.ID, err)
		}
	}
	row.end()
	return nil
}

// round returns the counts of a round.
func (t *tally) round(n int) *counts {
	for len(t.rounds) <= n {
		t.rounds = append(t.rounds, counts{broken: map[string]int{}})
	}
	return &t.rounds[n]
}

// judged is one row under the oracle's eyes.
type judged struct {
	*tally
	prompt   testbed.Prompt
	first    testbed.Response
	draft    testbed.Response
	marked   int                // rounds whose answer has been counted, the first response's among them
	named    []testbed.Sentence // that the critique flagged, of the draft
	rightly  bool               // of these at least one is a breach
	critique bool               // there was a critique in this round
}

func (j *judged) add(turn revise.Turn) error {
	c := j.round(turn.Round)
	switch turn.Kind {
	case revise.Critique:
		principle, err := j.principle(turn.Principle)
		if err != nil {
			return err
		}
		j.markCritique(c, principle, turn.Text)
	case revise.Response, revise.Revision:
		if !turn.IsAnswer() {
			break
		}
		j.fill(turn.Round)
		r := j.world.ReadResponse(j.prompt, turn.Text)
		if turn.Kind == revise.Response {
			j.first = r
		} else if err := j.markRevision(c, turn.Principle, r); err != nil {
			return err
		}
		j.draft, j.named, j.rightly, j.critique = r, nil, false, false
		j.fill(turn.Round + 1)
	}
	return nil
}

// fill counts the draft as the answer of every round before this one that has none yet.
func (j *judged) fill(round int) {
	for ; j.marked < round; j.marked++ {
		j.markResponse(j.round(j.marked), j.draft)
	}
}

// end counts the rounds after the row's last answer, and what became of the row.
func (j *judged) end() {
	j.fill(j.last + 1)
	broke := j.first.Broken()
	j.worse += stats.Indicator[int](slices.ContainsFunc(j.draft.Broken(), func(rule int) bool { return !slices.Contains(broke, rule) }))
}

func (j *judged) principle(id string) (testbed.Principle, error) {
	p, ok := j.world.Principle(id)
	if !ok {
		return p, fmt.Errorf("the principle %q is not one of the testbed's: the oracle cannot say what it covers", id)
	}
	return p, nil
}

func (j *judged) markCritique(c *counts, p testbed.Principle, text string) {
	critique, ok := j.world.ReadCritique(text)
	m := j.world.MarkCritique(p, j.draft, critique)
	c.critiques++
	c.wellFormed += stats.Indicator[int](ok)
	c.flags += m.Flags
	c.right += m.Right
	c.due += m.Due
	j.named, j.rightly, j.critique = critique.Named(j.draft), m.Right > 0, true
}

// markRevision judges a revision by what its critique flagged, or without one by what its principle forbids.
func (j *judged) markRevision(c *counts, principle string, r testbed.Response) error {
	if !j.critique {
		p, err := j.principle(principle)
		if err != nil {
			return err
		}
		j.named = j.world.Breaks(p, j.draft)
		j.rightly = len(j.named) > 0
	}
	change := j.world.CompareRevision(j.draft, r, j.named)
	c.revisions++
	c.only += stats.Indicator[int](change.Only)
	c.worse += stats.Indicator[int](len(change.Broke) > 0)
	c.lost += stats.Indicator[int](change.Lost > 0)
	if j.rightly {
		c.rightly++
		c.rightlyMended += stats.Indicator[int](change.Fixed)
	}
	return nil
}

func (j *judged) markResponse(c *counts, r testbed.Response) {
	c.rows++
	broken := r.Broken()
	c.violating += stats.Indicator[int](len(broken) > 0)
	for _, rule := range broken {
		c.broken[j.world.Rules()[rule].ID]++
	}
	c.inGrammar += stats.Indicator[int](r.InGrammar())
	facts := r.Facts()
	c.facts += len(facts)
	had := map[int]bool{}
	for _, f := range facts {
		had[f] = true
	}
	for _, f := range j.first.Facts() {
		c.firstFacts++
		c.kept += stats.Indicator[int](had[f])
	}
}

func (t *tally) outcome() Outcome {
	out := Outcome{Foreign: t.foreign, Failed: t.failed, Rounds: []Round{}}
	if len(t.rounds) > 0 {
		out.Worse = stats.NewShare(t.worse, t.rounds[0].rows)
	}
	for i, c := range t.rounds {
		r := Round{
			Round: i, Rows: c.rows, Violations: c.violating, Violating: stats.NewShare(c.violating, c.rows), Broken: map[string]int{},
			InGrammar: stats.NewShare(c.inGrammar, c.rows), KeptFacts: stats.NewShare(c.kept, c.firstFacts),
		}
		for _, rule := range t.world.Rules() {
			r.Broken[rule.ID] = c.broken[rule.ID]
		}
		if c.rows > 0 {
			r.Facts = float64(c.facts) / float64(c.rows)
		}
		if c.critiques > 0 {
			r.Critiques = &Critiques{stats.NewShare(c.wellFormed, c.critiques), stats.NewShare(c.right, c.flags), stats.NewShare(c.right, c.due)}
		}
		if c.revisions > 0 {
			r.Revisions = &Revisions{stats.NewShare(c.rightlyMended, c.rightly), stats.NewShare(c.only, c.revisions), stats.NewShare(c.worse, c.revisions), stats.NewShare(c.lost, c.revisions)}
		}
		out.Rounds = append(out.Rounds, r)
	}
	return out
}
