package llamatest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/revise"
	"amend/engine/sample"
	"amend/engine/stats"
	"amend/models/testbed"
)

// What the gate is measured with beside a gating: amend run's defaults except for the rounds.
const gateRounds = 4

// gating is how a gate is set.
type gating struct {
	margin float64
	tries  int
}

// gatings are amend run's defaults, and what makes fewer rows worse (docs/feedback.md).
func gatings() []gating { return []gating{{0, 2}, {0.3, 6}} }

// gated runs the rows through a gate, under the broad principles.
func (b *testbedRun) gated(t *testing.T, g gating) []revise.Record {
	t.Helper()
	judge, err := feedback.New(t.Context(), b.format, b.doc, feedback.Settings{Layout: feedback.OptionsFirst, MinMass: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	b.gate = &revise.Gate{Judge: judge, Tries: g.tries, Margin: g.margin}
	defer func() { b.gate = nil }()
	b.exactRun.loop, err = revise.New(t.Context(), b.format, b.doc, revise.Settings{
		Rounds: gateRounds, Mode: revise.Faithful, MaxTokens: 256, Seed: *testbedSeed, Sampling: sample.Params{Temperature: 1}, Gate: b.gate,
	})
	if err != nil {
		t.Fatal(err)
	}
	byID := b.run(t, b.rows, 16, running{attach: true})
	var out []revise.Record
	for _, r := range b.rows {
		out = append(out, byID[r.ID])
	}
	return out
}

// TestGate: what a gate reaches on the testbed, against a gate whose critic, reviser and judge do what is planted in them
// and nothing else (docs/testbed.md), from the same first responses.
//
//	scripts/go test ./cmd/amend/internal/llamatest -run TestGate -v -args -testbed.rows 2000
func TestGate(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	b := openBed(t)
	for i, g := range gatings() {
		if i > 0 && len(b.rows) < 1000 {
			break // too few to tell it from the first
		}
		records := b.gated(t, g)
		o := b.judged(t, records)
		if len(o.Rounds) != gateRounds+1 {
			t.Fatalf("%d rounds", len(o.Rounds))
		}
		first, last := o.Rounds[0].Violating, o.Rounds[gateRounds].Violating
		alone, planted := b.planted(t, g, records, nil), b.planted(t, g, records, b.spoilt(t, records))
		t.Logf("%+v: %s break a rule, in the end %s; planted %s, with this reviser's words %s", g, percent(first), percent(last), percent(alone.last), percent(planted.last))
		t.Logf("made worse: %s; planted %s, with this reviser's words %s; kept facts %s", percent(o.Worse), percent(alone.worse), percent(planted.worse),
			percent(o.Rounds[gateRounds].KeptFacts))
		if beyond(last, planted.last) {
			t.Errorf("%+v: %s break a rule in the end, by what is planted it would be %s", g, percent(last), percent(planted.last))
		}
		if beyond(o.Worse, planted.worse) {
			t.Errorf("%+v: %s are made worse, by what is planted it would be %s", g, percent(o.Worse), percent(planted.worse))
		}
	}
}

// beyond reports whether a share is outside the 99.9 % interval of what is planted. A change of rounding draws other numbers, and
// four comparisons at 95 % would fail one change in five with nothing wrong.
func beyond(got, planted stats.Share) bool {
	const wider = 3.29 / 1.96
	return got.Share < planted.Share-wider*(planted.Share-planted.Low) || got.Share > planted.Share+wider*(planted.High-planted.Share)
}

func percent(s stats.Share) string {
	return fmt.Sprintf("%.2f (%.2f to %.2f)", 100*s.Share, 100*s.Low, 100*s.High)
}

// reach is what a gate reaches.
type reach struct{ last, worse stats.Share }

// planted lets the planted faults decide what becomes of each first response, several times.
func (b *testbedRun) planted(t *testing.T, g gating, records []revise.Record, words map[breach]int) reach {
	t.Helper()
	const times = 10
	row := plantedRow{world: b.truth, gating: g, random: rand.New(rand.NewPCG(1, 2)), words: words}
	row.pool = slices.DeleteFunc(slices.Clone(b.truth.Principles()), func(p testbed.Principle) bool { return !p.Broad })
	last, worse := 0, 0
	for _, rec := range records {
		row.prompt = b.prompt(t, rec)
		first := b.truth.ReadResponse(row.prompt, rec.Turns[0].Text)
		for range times {
			row.draft = first
			end := row.run()
			if len(end.Broken()) > 0 {
				last++
			}
			if slices.ContainsFunc(end.Broken(), func(rule int) bool { return !slices.Contains(first.Broken(), rule) }) {
				worse++
			}
		}
	}
	n := len(records)
	return reach{repeated(last, times, n), repeated(worse, times, n)}
}

// repeated is the share of n rows in which something happens, by how often it did in several repeats: these say nothing of other
// rows, so the interval is that of n.
func repeated(count, times, n int) stats.Share {
	s := stats.NewShare((count+times/2)/times, n)
	s.Share = float64(count) / float64(times*n)
	return s
}

func (b *testbedRun) prompt(t *testing.T, rec revise.Record) testbed.Prompt {
	t.Helper()
	p, ok := oracle.Prompt(b.truth, rec)
	if !ok {
		t.Fatalf("row %s is not of this world", rec.ID)
	}
	return p
}

// breach is one of the ways to break a rule.
type breach struct{ rule, class int }

// spoilt counts the words with which this reviser breaks another rule. That it does is planted, which words it takes is
// its own: in training all are as likely, at temperature 1 one of four is in half of them.
func (b *testbedRun) spoilt(t *testing.T, records []revise.Record) map[breach]int {
	t.Helper()
	count := map[breach]int{}
	for _, rec := range records {
		p := b.prompt(t, rec)
		var draft testbed.Response
		for _, turn := range rec.Turns {
			if turn.Kind == revise.Critique {
				continue
			}
			r := b.truth.ReadResponse(p, turn.Text)
			if turn.Kind == revise.Revision {
				for _, s := range newBreaches(draft, r) {
					count[breach{s.Rule, s.Class}]++
				}
			}
			if turn.IsAnswer() {
				draft = r
			}
		}
	}
	return count
}

// newBreaches are those of rules that the draft kept.
func newBreaches(draft, revision testbed.Response) []testbed.Sentence {
	broken := draft.Broken()
	return slices.DeleteFunc(revision.Breaches(), func(s testbed.Sentence) bool { return slices.Contains(broken, s.Rule) })
}

// plantedRow is a row whose critic, reviser and judge are the world's.
type plantedRow struct {
	world *testbed.World
	gating
	random *rand.Rand
	words  map[breach]int // how often the reviser takes them where a repair breaks another rule; where nil, all are as likely
	pool   []testbed.Principle
	prompt testbed.Prompt
	draft  testbed.Response
}

func (r *plantedRow) run() testbed.Response {
	for range gateRounds {
		if !r.round() {
			break
		}
	}
	return r.draft
}

// round is false where the row ends early.
func (r *plantedRow) round() bool {
	order := r.random.Perm(len(r.pool))
	for try := range r.tries + 1 {
		if r.clean() {
			return false
		}
		p := r.pool[order[try]]
		revision := r.revise(p)
		if revision.Text != r.draft.Text && r.better(p, revision) && !r.vetoed(revision) {
			r.draft = revision
			return true
		}
	}
	return true
}

// revise draws a revision; the words of a spoilt one as often as the reviser takes them.
func (r *plantedRow) revise(p testbed.Principle) testbed.Response {
	for {
		revision := r.world.Revise(r.random, r.prompt, r.draft, r.world.Flags(p, r.draft))
		if !slices.ContainsFunc(newBreaches(r.draft, revision), r.unlikely) {
			return revision
		}
	}
}

// unlikely refuses words that the reviser takes less often than others for the same rule, as often as that.
func (r *plantedRow) unlikely(s testbed.Sentence) bool {
	most := 0
	for b, n := range r.words {
		if b.rule == s.Rule {
			most = max(most, n)
		}
	}
	return r.random.IntN(most+1) > r.words[breach{s.Rule, s.Class}] // none is left out for not having been seen
}

// clean is a verdict as this model gives it: it sees nearly every breach, under whatever principle it is asked.
func (r *plantedRow) clean() bool { return len(r.draft.Breaches()) == 0 }

// better: the judge prefers the revision in both orders. Where it sees no difference, either answer is as likely, and none
// by a margin.
func (r *plantedRow) better(p testbed.Principle, revision testbed.Response) bool {
	given, swapped := r.world.Judges(p, revision, r.draft).Choice, r.world.Judges(p, r.draft, revision).Choice
	chance := func() bool { return r.margin == 0 && r.random.IntN(2) == 0 }
	return (given == testbed.A || given == testbed.Neither && chance()) && (swapped == testbed.B || swapped == testbed.Neither && chance())
}

// vetoed: under some principle it prefers the draft in both orders.
func (r *plantedRow) vetoed(revision testbed.Response) bool {
	return slices.ContainsFunc(r.pool, func(p testbed.Principle) bool {
		return r.world.Judges(p, revision, r.draft).Choice == testbed.B && r.world.Judges(p, r.draft, revision).Choice == testbed.A
	})
}
