package revise

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
	"amend/engine/check"
	"amend/engine/feedback"
)

const gateDocument = `
name: test
prompts: {critique_request: "Is it so? {text}", revision_request: "Make it so. {text}", judge_instruction: "Which is better? {text}"}
principles:
  - {id: kind, text: Be kind.}
  - {id: frank, text: Be frank.}
  - {id: brief, text: Be brief.}
  - {id: never, text: Be nothing., weight: 0}
demonstrations:
  - {prompt: p one, response: r one, principle: kind, critique: c one, revision: v one}
judgements:
  - {prompt: p, principle: kind, a: x, b: y, better: b}
`

// testMinMass makes some of the fake model's judgements invalid.
const testMinMass = 0.00005

// pool is what gateDocument draws from.
var pool = []string{"brief", "frank", "kind"}

type reporter interface{ Fatalf(string, ...any) }

// replay goes through a gated record and says what does not follow from its judgements.
type replay struct {
	reporter
	w     *fixture
	fresh *fixture // judges pairs again
	rec   Record
	draft Turn
	from  int // first verdict on the draft
}

func (p *replay) check() {
	p.draft = p.rec.Turns[0]
	s := p.w.loop.settings
	seeds := map[uint64]int{}
	for i, t := range p.rec.Turns {
		if j, again := seeds[t.Seed]; again {
			p.Fatalf("turns %d and %d are drawn with the same seed", j, i)
		}
		seeds[t.Seed] = i
	}
	rounds := map[int][]Turn{}
	for i, t := range p.rec.Turns {
		if t.Kind == Critique && s.Mode == Faithful {
			if want := p.rec.Turns[0].Prompt + len(p.draft.Tokens) + len("\n\nHuman: "+t.Request+"\n\nAssistant:"); t.Prompt != want {
				p.Fatalf("critique %d was asked of %d tokens, %d are the prompt, the draft and the request", i, t.Prompt, want)
			}
		}
		if t.Kind != Revision {
			continue
		}
		rounds[t.Round] = append(rounds[t.Round], t)
		p.notClean(t)
		p.decision(t)
		if t.IsAnswer() {
			p.draft = t
			for p.from < len(p.rec.Gated.Verdicts) && p.rec.Gated.Verdicts[p.from].Round <= t.Round {
				p.from++
			}
		}
	}
	var stayed []int
	for round := 1; round <= s.Rounds; round++ {
		tries := rounds[round]
		if len(tries) == 0 {
			p.ended(round)
			break
		}
		var drawn []string
		for i, t := range tries {
			if t.Try != i || t.IsAnswer() != (i == len(tries)-1 && t.IsAnswer()) {
				p.Fatalf("round %d: try %d is the %dth and decided %+v", round, t.Try, i+1, t.Gate)
			}
			if slices.Contains(drawn, t.Principle) {
				for _, id := range pool {
					if !slices.Contains(drawn, id) && !p.clean(id, round) {
						p.Fatalf("round %d: %s is drawn again before %s", round, t.Principle, id)
					}
				}
				drawn = nil
			}
			drawn = append(drawn, t.Principle)
		}
		if !tries[len(tries)-1].IsAnswer() {
			stayed = append(stayed, round)
			// A round that ended clean after refusals has fewer tries.
			if len(tries) != s.Gate.Tries+1 && p.rec.Gated.Clean != round {
				p.Fatalf("round %d gave up after %d tries of %d", round, len(tries), s.Gate.Tries+1)
			}
			if p.rec.Gated.Clean == round {
				stayed = stayed[:len(stayed)-1]
				p.ended(round)
				break
			}
		}
	}
	if !slices.Equal(stayed, p.rec.Gated.Stayed) {
		p.Fatalf("the draft stayed in rounds %v, the row says %v", stayed, p.rec.Gated.Stayed)
	}
}

// clean reports whether a verdict up to a round found the draft of its time clean under a principle.
func (p *replay) clean(principle string, round int) bool {
	return slices.ContainsFunc(p.rec.Gated.Verdicts, func(v Verdict) bool {
		return v.Principle == principle && v.Round <= round && !v.Invalid && v.P > 0.5
	})
}

// notClean: a draft that was found clean under a principle is not revised under it.
func (p *replay) notClean(t Turn) {
	found := map[string]bool{}
	for _, v := range p.rec.Gated.Verdicts[p.from:] {
		if v.Round < t.Round || v.Round == t.Round && v.Try <= t.Try {
			found[v.Principle] = !v.Invalid && v.P > 0.5
		}
	}
	clean, said := found[t.Principle]
	if !said || clean {
		p.Fatalf("round %d revises under %s, where verdicts are %v", t.Round, t.Principle, found)
	}
}

// ended: the row ended before a round since its draft was clean under two principles, and nothing was found against it.
func (p *replay) ended(round int) {
	verdicts := p.rec.Gated.Verdicts[p.from:]
	under := map[string]bool{}
	for _, v := range verdicts {
		if v.Invalid || v.P <= 0.5 {
			p.Fatalf("it ended in round %d though %+v", round, v)
		}
		under[v.Principle] = true
	}
	if p.rec.Gated.Clean != round || len(under) != 2 || len(verdicts) != 2 {
		p.Fatalf("it ended in round %d, says %d, by %+v", round, p.rec.Gated.Clean, verdicts)
	}
}

// decision: what was decided follows from the judgements, and these are what a judge says of the revision and the draft
// that stood then.
func (p *replay) decision(t Turn) {
	g, d := p.w.loop.settings.Gate, *t.Gate
	want, against := Refusal(""), ""
	var under []string
	lowest := 1.0
	for i := 0; i < len(d.Judgements); i += 2 {
		given, swapped := d.Judgements[i], d.Judgements[i+1]
		under = append(under, given.Principle)
		mean := (given.P + swapped.P) / 2
		switch {
		case want != "" && want != Vetoed:
		case given.Invalid || swapped.Invalid:
			want, against = NotJudged, given.Principle
		case i == 0 && (given.P <= 0.5+g.Margin || swapped.P <= 0.5+g.Margin):
			want, against = NotPreferred, given.Principle
		case i > 0 && mean < lowest && mean < 0.5-g.Veto:
			want, against, lowest = Vetoed, given.Principle, mean
		}
	}
	if slices.Contains(t.Flags, check.Unchanged) {
		want, against = NotChanged, ""
	}
	if d.Refused != want || d.Against != against {
		p.Fatalf("decided %q against %q, the judgements say %q against %q: %+v", d.Refused, d.Against, want, against, d.Judgements)
	}
	all := slices.Sorted(slices.Values(under))
	switch {
	case want == NotChanged && len(under) == 0:
		return
	case under[0] != t.Principle, len(under) == 1 && want != NotPreferred && want != NotJudged, len(under) > 1 && !slices.Equal(all, pool):
		p.Fatalf("under %s, decided %q by judgements under %v", t.Principle, want, under)
	}
	in := feedback.Pair{ID: p.rec.ID, Messages: p.rec.Messages, First: t.Text, Second: p.draft.Text}
	if again := p.fresh.judge(in, under); !reflect.DeepEqual(again, d.Judgements) {
		p.Fatalf("judged again: %+v, the record has %+v", again, d.Judgements)
	}
}

// judge judges a pair alone.
func (w *fixture) judge(in feedback.Pair, under []string) (out []feedback.Judgement) {
	var principles []constitution.Principle
	for _, id := range under {
		for _, p := range w.loop.doc.Principles {
			if p.ID == id {
				principles = append(principles, p)
			}
		}
	}
	never := func() bool { return false }
	session := w.loop.settings.Gate.Judge.Start(w.loop.context(), w.engine, never, func(error) {})
	session.Judge(in, principles, func(l feedback.Label, _ feedback.Cost) { out = l.Judgements })
	if err := w.engine.Run(w.loop.context()); err != nil {
		panic(err)
	}
	return out
}

func drawGate(t *rapid.T) (Settings, *Gate) {
	s := testSettings
	s.Rounds = rapid.IntRange(1, 3).Draw(t, "rounds")
	s.Mode = rapid.SampledFrom(Modes()).Draw(t, "mode")
	s.NoCritique = rapid.Bool().Draw(t, "no critique")
	s.Seed = rapid.Uint64().Draw(t, "seed")
	return s, &Gate{
		Tries:  rapid.IntRange(0, 4).Draw(t, "tries"),
		Margin: rapid.SampledFrom([]float64{0, 0.1}).Draw(t, "margin"),
		Veto:   rapid.SampledFrom([]float64{0, 0.2, 0.5}).Draw(t, "veto"),
	}
}

// gatedRows runs rows through a gate and checks every one.
func gatedRows(t *testing.T, r reporter, s Settings, g *Gate) map[string]Record {
	t.Helper()
	w := newWorldOf(t, gateDocument, s, g, 9, false)
	fresh := newWorldOf(t, gateDocument, s, g, 3, true)
	rows := w.run(t, inputs(6), 3)
	for _, rec := range rows {
		(&replay{reporter: r, w: w, fresh: fresh, rec: rec}).check()
	}
	return rows
}

// TestGateDecides: what the gate takes, refuses and ends follows from what the judge says, whatever the settings.
func TestGateDecides(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, g := drawGate(rt)
		gatedRows(t, rt, s, g)
	})
}

// TestGateDecidesEverything: all that a gate can decide comes about, and is checked.
func TestGateDecidesEverything(t *testing.T) {
	seen := map[Refusal]int{}
	clean := 0
	for seed := range uint64(20) {
		s := testSettings
		s.Seed, s.Rounds = seed, 3
		for _, rec := range gatedRows(t, t, s, &Gate{Tries: 2, Veto: 0.5 * float64(seed%2)}) {
			for _, turn := range rec.Turns {
				if turn.Gate != nil {
					seen[turn.Gate.Refused]++
				}
			}
			if rec.Gated.Clean > 0 {
				clean++
			}
		}
	}
	for _, r := range append(Refusals(), "") {
		if seen[r] == 0 && !slices.Contains([]Refusal{NotChanged, Flagged, BadCritique, FoundNothing}, r) {
			t.Errorf("nothing was decided %q", r)
		}
	}
	if clean == 0 {
		t.Error("no row ended clean")
	}
}

// TestGateTogetherAsAlone: rows that are judged side by side end as they do alone, and without any reuse.
func TestGateTogetherAsAlone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, g := drawGate(rt)
		together := alike(newWorldOf(t, gateDocument, s, g, 7, false).run(t, inputs(5), 4))
		for _, in := range inputs(5) {
			alone := alike(newWorldOf(t, gateDocument, s, g, 2, true).run(t, []Row{in}, 1))
			if !reflect.DeepEqual(together[in.ID], alone[in.ID]) {
				rt.Fatalf("row %s:\n%+v together\n%+v alone", in.ID, together[in.ID], alone[in.ID])
			}
		}
	})
}

// TestGateStoppedAnywhere: a gated run that was stopped after any turn or judgement gives the rows of one that was not,
// computes nothing twice, and is planned as what it then does.
func TestGateStoppedAnywhere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, g := drawGate(rt)
		whole := newShelf()
		w := newWorldOf(t, gateDocument, s, g, 9, false)
		w.loop.Use(whole, "env")
		want := alike(w.run(t, inputs(4), 3))
		shelf := newShelf()
		for {
			shelf.failAfter, shelf.err = rapid.IntRange(1, 60).Draw(rt, "turns before it stops"), nil
			w := newWorldOf(t, gateDocument, s, g, 9, false)
			w.loop.Use(shelf, "env")
			if _, err := w.loop.Plan(t.Context(), inputs(4)); err != nil {
				rt.Fatal(err)
			}
			got := map[string]Record{}
			err := w.loop.Run(t.Context(), w.engine, 3, Rows(inputs(4)), func(r Record) error { got[r.ID] = r; return nil })
			if err != nil {
				if shelf.err == nil || !errors.Is(err, shelf.err) {
					rt.Fatalf("it stopped by %v", err)
				}
				continue
			}
			if !reflect.DeepEqual(alike(got), want) {
				rt.Fatal("the rows differ from those of a run that was not stopped")
			}
			if len(shelf.turns) != len(whole.turns) {
				rt.Fatalf("%d turns and judgements were computed, there are %d", len(shelf.turns), len(whole.turns))
			}
			if p, err := w.loop.Plan(t.Context(), inputs(4)); err != nil || p.Whole != 4 || p.Turns != 0 {
				rt.Fatalf("all is done, the plan is %+v, %v", p, err)
			}
			return
		}
	})
}

// TestGateOfFirstTurns: the turns before the first decision are those of a run without a gate, so that a gate put on
// later reuses them.
func TestGateOfFirstTurns(t *testing.T) {
	s := testSettings
	s.Rounds = 1
	shelf := newShelf()
	bare := newWorldOf(t, gateDocument, s, nil, 9, false)
	bare.loop.Use(shelf, "env")
	ungated := bare.run(t, inputs(8), 4)
	same := 0
	gated := newWorldOf(t, gateDocument, s, &Gate{Tries: 1}, 9, false).run(t, inputs(8), 3)
	for id, rec := range gated {
		for i, turn := range rec.Turns[:min(3, len(rec.Turns))] {
			if turn.Principle != ungated[id].Turns[i].Principle {
				break // the draft was clean under the first draw
			}
			if turn.Try == 0 && turn.Text != ungated[id].Turns[i].Text {
				t.Errorf("row %s, turn %d: %q, and without a gate %q", id, i, turn.Text, ungated[id].Turns[i].Text)
			}
			same++
		}
	}
	if same <= 8 {
		t.Errorf("%d turns were compared", same)
	}
}

// TestGateFailsWithTheJudge: a comparison that does not fit fails its row, and nothing was taken.
func TestGateFailsWithTheJudge(t *testing.T) {
	long := strings.Replace(gateDocument, "a: x,", "a: "+strings.Repeat("x", 1200)+",", 1)
	failed := 0
	for _, rec := range newWorldOf(t, long, testSettings, &Gate{}, 4, false).run(t, inputs(4), 1) {
		if rec.Error == "" {
			continue // nothing was compared
		}
		failed++
		last := rec.Turns[len(rec.Turns)-1]
		if !strings.Contains(rec.Error, "comparing the revision of round") || last.Gate == nil || last.IsAnswer() {
			t.Errorf("%s; the last turn's decision is %+v", rec.Error, last.Gate)
		}
	}
	if failed == 0 {
		t.Error("no row failed")
	}
}

// TestGateNeeds: judgements fit in what Need says.
func TestGateNeeds(t *testing.T) {
	w := newWorldOf(t, gateDocument, testSettings, &Gate{}, 4, false)
	in := inputs(1)[0]
	need, err := w.loop.Need(t.Context(), in)
	if err != nil || need.Unshared == 0 || need.Tokens < need.Unshared {
		t.Fatalf("%+v, %v", need, err)
	}
	rec := w.run(t, []Row{in}, 1)[in.ID]
	for _, turn := range rec.Turns {
		if turn.Gate == nil {
			continue
		}
		if n := len(turn.Gate.Judgements); n > 0 && turn.Gate.Prompt/n > need.Unshared {
			t.Errorf("judgements took %d tokens in the mean, Need said %d", turn.Gate.Prompt/n, need.Unshared)
		}
	}
}
