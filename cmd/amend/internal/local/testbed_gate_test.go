package local

import (
	"math/rand/v2"
	"slices"
	"testing"

	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/measure"
	"amend/engine/outcome"
	"amend/engine/revise"
	"amend/models/testbed"
)

// What the gate is measured with: amend run's defaults but for the rounds.
const (
	gateRounds = 4
	gateTries  = 2
	gateVeto   = 0.1
)

// gated runs the rows through a gate, under the broad principles.
func (b *bed) gated(t *testing.T, tries int) []revise.Record {
	t.Helper()
	judge, err := feedback.New(t.Context(), b.format, b.doc, feedback.Settings{Layout: feedback.OptionsFirst, MinMass: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	b.gate = &revise.Gate{Judge: judge, Tries: tries, Veto: gateVeto}
	defer func() { b.gate = nil }()
	b.world.loop, err = revise.New(t.Context(), b.format, b.doc, revise.Settings{
		Rounds: gateRounds, Mode: revise.Faithful, MaxTokens: 256, Seed: 1, Sampling: engine.Sampling{Temperature: 1}, Gate: b.gate,
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
//	scripts/go test ./cmd/amend/internal/local -run TestGate -v -args -testbed.rows 2000
func TestGate(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	b := openBed(t)
	records := b.gated(t, gateTries)
	o := b.judged(t, records)
	if len(o.Rounds) != gateRounds+1 {
		t.Fatalf("%d rounds", len(o.Rounds))
	}
	first, last := o.Rounds[0].Violating, o.Rounds[gateRounds].Violating
	planted := b.planted(t, records)
	t.Logf("break a rule: %.1f (%.1f to %.1f), in the end %.2f (%.2f to %.2f); planted %.2f (%.2f to %.2f)", 100*first.Share, 100*first.Low, 100*first.High,
		100*last.Share, 100*last.Low, 100*last.High, 100*planted.last.Share, 100*planted.last.Low, 100*planted.last.High)
	t.Logf("made worse: %.2f (%.2f to %.2f), planted %.2f; kept facts %.1f", 100*o.Worse.Share, 100*o.Worse.Low, 100*o.Worse.High, 100*planted.worse.Share,
		100*o.Rounds[gateRounds].KeptFacts.Share)
	if !overlap(last, planted.last) {
		t.Errorf("%+v break a rule in the end, by what is planted it would be %+v", last, planted.last)
	}
	if !overlap(o.Worse, planted.worse) {
		t.Errorf("%+v are made worse, by what is planted it would be %+v", o.Worse, planted.worse)
	}
}

func overlap(a, b measure.Share) bool { return a.Low <= b.High && b.Low <= a.High }

// reach is what a gate reaches.
type reach struct{ last, worse measure.Share }

// planted lets the planted faults alone decide what becomes of each first response, several times.
func (b *bed) planted(t *testing.T, records []revise.Record) reach {
	t.Helper()
	const times = 10
	random := rand.New(rand.NewPCG(1, 2))
	drawn := slices.DeleteFunc(slices.Clone(b.truth.Principles()), func(p testbed.Principle) bool { return !p.Broad })
	last, worse := 0, 0
	for _, rec := range records {
		p, ok := outcome.Prompt(b.truth, rec)
		if !ok {
			t.Fatalf("row %s is not of this world", rec.ID)
		}
		first := b.truth.ReadResponse(p, rec.Turns[0].Text)
		for range times {
			end := (&plantedRow{b.truth, random, drawn, p, first}).run()
			if len(end.Broken()) > 0 {
				last++
			}
			if slices.ContainsFunc(end.Broken(), func(rule int) bool { return !slices.Contains(first.Broken(), rule) }) {
				worse++
			}
		}
	}
	n := len(records)
	return reach{measure.NewShare(last/times, n), measure.NewShare(worse/times, n)} // repeats say nothing of other rows
}

// plantedRow is a row whose critic, reviser and judge are the world's.
type plantedRow struct {
	world  *testbed.World
	random *rand.Rand
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
	for try := range gateTries + 1 {
		if r.clean() {
			return false
		}
		p := r.pool[order[try]]
		revision := r.world.Revise(r.random, r.prompt, r.draft, r.world.Flags(p, r.draft))
		if revision.Text != r.draft.Text && r.better(p, revision) && !r.vetoed(revision) {
			r.draft = revision
			return true
		}
	}
	return true
}

// clean is a verdict as this model gives it: it sees nearly every breach, under whatever principle it is asked.
func (r *plantedRow) clean() bool { return len(r.draft.Breaches()) == 0 }

// better: the judge prefers the revision in both orders. Where it sees no difference either answer is as likely.
func (r *plantedRow) better(p testbed.Principle, revision testbed.Response) bool {
	given, swapped := r.world.Judges(p, revision, r.draft).Choice, r.world.Judges(p, r.draft, revision).Choice
	return (given == testbed.A || given == testbed.Neither && r.random.IntN(2) == 0) &&
		(swapped == testbed.B || swapped == testbed.Neither && r.random.IntN(2) == 0)
}

// vetoed: under some principle it prefers the draft in both orders.
func (r *plantedRow) vetoed(revision testbed.Response) bool {
	return slices.ContainsFunc(r.pool, func(p testbed.Principle) bool {
		return r.world.Judges(p, revision, r.draft).Choice == testbed.B && r.world.Judges(p, r.draft, revision).Choice == testbed.A
	})
}
