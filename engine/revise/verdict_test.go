package revise

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
	"amend/engine/feedback"
)

// aloneDocument is gateDocument with a verdict request for two of its principles.
const aloneDocument = `
name: test
prompts: {critique_request: "Is it so? {text}", revision_request: "Make it so. {text}", judge_instruction: "Which is better? {text}"}
principles:
  - {id: kind, text: Be kind., verdict_request: "Does it keep to this? Be kind."}
  - {id: frank, text: Be frank., verdict_request: "Does it keep to this? Be frank."}
  - {id: brief, text: Be brief.}
demonstrations:
  - {prompt: p one, response: r one, principle: kind, critique: c one, revision: v one}
judgements:
  - {prompt: p, principle: kind, a: x, b: y, better: b}
`

// inspected runs rows whose drafts are judged before their critiques.
func inspected(t *testing.T, document string, s Settings, c feedback.Calibration, reuse bool) (*fixture, map[string]Record) {
	t.Helper()
	w := newWorldOf(t, document, s, nil, 8, !reuse)
	doc, err := constitution.Parse("test.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	j, err := feedback.New(t.Context(), w.loop.format, doc, feedback.Settings{Layout: feedback.LayoutFor(doc, 0)})
	if err != nil {
		t.Fatal(err)
	}
	s.Verdicts = &Verdicts{Judge: j, Calibration: c}
	if w.loop, err = New(t.Context(), w.loop.format, doc, s); err != nil {
		t.Fatal(err)
	}
	return w, w.run(t, inputs(5), 2)
}

// drawn are settings and a calibration by which some drafts are clean and some are not.
func drawn(t *rapid.T) (Settings, feedback.Calibration) {
	s := testSettings
	s.Seed, s.Rounds, s.Tries = rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 3).Draw(t, "rounds"), rapid.IntRange(0, 3).Draw(t, "tries")
	s.Mode = rapid.SampledFrom(Modes()).Draw(t, "mode")
	s.Sampling.Temperature = 1
	return s, feedback.Calibration{Slope: 4, Rest: rapid.Float64Range(-0.5, 0.5).Draw(t, "rest")}
}

// drafts are the verdicts of a row on each of its drafts, and the turns that followed on them.
func drafts(rec Record) (out []struct {
	verdicts []Verdict
	turns    []Turn
}) {
	answers := rec.Answers()
	for i, a := range answers {
		from, to := a.Round+1, int(1e9)
		if i+1 < len(answers) {
			to = answers[i+1].Round
		}
		var d struct {
			verdicts []Verdict
			turns    []Turn
		}
		for _, v := range rec.Gated.Verdicts {
			if v.Round >= from && v.Round <= to {
				d.verdicts = append(d.verdicts, v)
			}
		}
		for _, turn := range rec.Turns {
			if turn.Round >= from && turn.Round <= to {
				d.turns = append(d.turns, turn)
			}
		}
		out = append(out, d)
	}
	return out
}

// TestTargeted: a draft is judged once under every principle that can be judged. It is revised under those that it more likely
// breaks than not; a draft that breaks none ends the row, which says so.
func TestTargeted(t *testing.T) {
	clean, revised := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		s, c := drawn(rt)
		s.Draw = Targeted
		document := rapid.SampledFrom([]string{gateDocument, aloneDocument}).Draw(rt, "document")
		under := map[string]int{gateDocument: 3, aloneDocument: 2}[document]
		_, rows := inspected(t, document, s, c, true)
		for _, rec := range rows {
			for i, d := range drafts(rec) {
				if len(d.verdicts) == 0 && i == len(rec.Answers())-1 {
					continue // of the last round
				}
				var broken []string
				for _, v := range d.verdicts {
					if *v.Breach >= 0.5 {
						broken = append(broken, v.Principle)
					}
				}
				if len(d.verdicts) != under {
					rt.Fatalf("%d verdicts on a draft, under %d principles: %+v", len(d.verdicts), under, d.verdicts)
				}
				if (len(broken) == 0) != (len(d.turns) == 0) || (len(broken) == 0) != (rec.Gated.Clean > 0 && i == len(rec.Answers())-1) {
					rt.Fatalf("of a draft that breaks %v: %d turns, clean %d", broken, len(d.turns), rec.Gated.Clean)
				}
				for _, turn := range d.turns {
					if !slices.Contains(broken, turn.Principle) {
						rt.Fatalf("revised under %s, broken are %v", turn.Principle, broken)
					}
					revised++
				}
				if len(broken) == 0 {
					clean++
				}
			}
		}
	})
	if clean == 0 || revised == 0 {
		t.Errorf("%d drafts were clean, %d turns followed on others", clean, revised)
	}
}

// TestBreachedRevisesWhatIsBreached: what a verdict finds clean under the drawn principle is not revised in that round.
func TestBreachedRevisesWhatIsBreached(t *testing.T) {
	clean, revised := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		s, c := drawn(rt)
		s.Revise = Breached
		_, rows := inspected(t, aloneDocument, s, c, true)
		for _, rec := range rows {
			for _, d := range drafts(rec) {
				for _, v := range d.verdicts {
					followed := slices.ContainsFunc(d.turns, func(turn Turn) bool { return turn.Round == v.Round && turn.Principle == v.Principle })
					if v.Clean() == followed {
						rt.Fatalf("round %d under %s, breach %.2f: turns %v", v.Round, v.Principle, *v.Breach, followed)
					}
					if v.Clean() {
						clean++
					} else {
						revised++
					}
				}
				for _, turn := range d.turns {
					if judged := slices.ContainsFunc(d.verdicts, func(v Verdict) bool { return v.Principle == turn.Principle }); judged == (turn.Principle == "brief") {
						rt.Fatalf("under %s there is a verdict: %v", turn.Principle, judged)
					}
				}
			}
		}
	})
	if clean == 0 || revised == 0 {
		t.Errorf("%d verdicts were clean, %d were not", clean, revised)
	}
}

// TestInspectedTogetherAsAlone: verdicts do not depend on what the KV cache holds, and take no more than Need says.
func TestInspectedTogetherAsAlone(t *testing.T) {
	s := testSettings
	s.Draw, s.Rounds, s.Sampling.Temperature = Targeted, 2, 1
	w, together := inspected(t, aloneDocument, s, feedback.Calibration{Slope: 4}, true)
	_, alone := inspected(t, aloneDocument, s, feedback.Calibration{Slope: 4}, false)
	for id, rec := range together {
		if len(rec.Gated.Verdicts) == 0 || len(rec.Gated.Verdicts) != len(alone[id].Gated.Verdicts) {
			t.Fatalf("%s: %d verdicts, alone %d", id, len(rec.Gated.Verdicts), len(alone[id].Gated.Verdicts))
		}
		for i, v := range rec.Gated.Verdicts {
			if *v.Breach != *alone[id].Gated.Verdicts[i].Breach {
				t.Errorf("%s: verdict %d is %v, alone %v", id, i, v, alone[id].Gated.Verdicts[i])
			}
		}
	}
	for _, in := range inputs(5) {
		n, err := w.loop.Need(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range together[in.ID].Gated.Verdicts {
			if v.Prompt >= n.Tokens {
				t.Errorf("%s: a verdict took %d tokens, Need said %d", in.ID, v.Prompt, n.Tokens)
			}
		}
	}
}

// TestFoundRevisesWhatIsFound: it is asked of every critique without a fault whether it found something. Where it did a revision
// follows, where it did not the round ends, and the draft stays.
func TestFoundRevisesWhatIsFound(t *testing.T) {
	nothing, something := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		s, c := drawn(rt)
		s.Revise = Found
		w := newWorldOf(t, aloneDocument, s, nil, 8, false)
		s.Reading = &Reading{Judge: feedback.NewReader(w.loop.format, 0), Calibration: c}
		var err error
		if w.loop, err = New(t.Context(), w.loop.format, w.loop.doc, s); err != nil {
			rt.Fatal(err)
		}
		for id, rec := range w.run(t, inputs(4), 2) {
			verdicts := rec.Gated.Verdicts
			for i, turn := range rec.Turns {
				if turn.Kind != Critique || s.Tries > 0 && isUnusable(turn.Flags) {
					continue
				}
				if len(verdicts) == 0 || !verdicts[0].OfCritique || verdicts[0].Round != turn.Round || verdicts[0].Principle != turn.Principle || verdicts[0].Prompt <= turn.Prompt {
					rt.Fatalf("%s: turn %d, and the verdicts left are %+v", id, i, verdicts)
				}
				if want := c.Breach(turn.Principle, verdicts[0].Verdict); *verdicts[0].Breach != want {
					rt.Fatalf("%s: breach %v, the calibration of critiques says %v", id, *verdicts[0].Breach, want)
				}
				revised := i+1 < len(rec.Turns) && rec.Turns[i+1].Kind == Revision
				if found := *verdicts[0].Breach >= 0.5; found != revised || found == (turn.Gate != nil) {
					rt.Fatalf("%s: breach %.2f, revised %v, decided %+v", id, *verdicts[0].Breach, revised, turn.Gate)
				}
				if verdicts = verdicts[1:]; revised {
					something++
				} else {
					nothing++
				}
			}
			if len(verdicts) > 0 {
				rt.Fatalf("%s: verdicts without a critique: %+v", id, verdicts)
			}
		}
	})
	if nothing == 0 || something == 0 {
		t.Errorf("%d critiques found nothing, %d something", nothing, something)
	}
}
