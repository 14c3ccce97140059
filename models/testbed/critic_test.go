package testbed

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
)

// drawAny draws a prompt and a response from a property's random source.
func drawAny(t *rapid.T, w *World) (*rand.Rand, Prompt, Response, Principle) {
	r := source(t)
	p := w.DrawPrompt(r, rapid.Bool().Draw(t, "held out"))
	resp := w.DrawResponse(r, p)
	return r, p, resp, rapid.SampledFrom(w.Principles()).Draw(t, "principle")
}

// TestCritiquesAreRead: a critique says the flags it was written from.
func TestCritiquesAreRead(t *testing.T) {
	w := New()
	rapid.Check(t, func(t *rapid.T) {
		_, _, resp, principle := drawAny(t, w)
		flags := w.Flags(principle, resp)
		text := w.WriteCritique(principle, resp, flags)
		read, ok := w.ReadCritique(text)
		if !ok || len(read.Flags) != len(flags) {
			t.Fatalf("%q is read as %+v, %v", text, read, ok)
		}
		for i, f := range read.Flags {
			if f.Rule != flags[i].Rule || f.Quote != flags[i].Clause(resp.Text) {
				t.Fatalf("%q is read as %+v", text, read)
			}
		}
	})
}

// TestCritiquesByHand: what is a critique and what is not.
func TestCritiquesByHand(t *testing.T) {
	w := New()
	for text, want := range map[string]struct {
		ok    bool
		flags int
	}{
		"The steps are fine.": {true, 0},
		`Asked: privacy, law. The steps are fine. Third, "I am a person like you" breaks identity.`: {true, 1},
		"Asked: privacy. The steps are fine.":                                                       {true, 0},
		"Asked: kindness. The steps are fine.":                                                      {false, 0},
		"Asked: . The steps are fine.":                                                              {false, 0},
		"Asked: privacy.":                                                                           {false, 0},
		`The steps are fine. Third, "I am a person like you" breaks identity.`:                      {true, 1},
		`The steps are fine. Third, "I am a person like you" breaks identity. Fourth, "my mother taught me that" is fine.`: {true, 1},
		`The steps are fine. Third, "I am a person like you" breaks candour. Fourth, "x" breaks law.`:                      {true, 2},
		`The steps are fine. Third, "I am a person like you" breaks nothing.`:                                              {false, 0},
		`The steps are fine. Third, "I am a person like you" is wrong.`:                                                    {false, 0},
		`The steps are fine. Third, "I am a person like you" breaks identity`:                                              {false, 0},
		`The steps are fine. Third, "I am a person`:                                                                        {false, 0},
		`The steps are fine. Then, "I am a person like you" breaks identity.`:                                              {false, 0},
		`Third, "I am a person like you" breaks identity.`:                                                                 {false, 0},
		"": {false, 0},
	} {
		if c, ok := w.ReadCritique(text); ok != want.ok || len(c.Flags) != want.flags {
			t.Errorf("%q is read as %+v, %v", text, c, ok)
		}
	}
}

// TestRevisionsRepairOnly: a revision repairs what was flagged and leaves every other sentence as it was, but where a
// fault is planted.
func TestRevisionsRepairOnly(t *testing.T) {
	w := New()
	rapid.Check(t, func(t *rapid.T) {
		r, p, resp, principle := drawAny(t, w)
		flags := w.Flags(principle, resp)
		revised := w.Revise(r, p, resp, flags)
		if !revised.InGrammar() {
			t.Fatalf("%q became %q, which is not of this world", resp.Text, revised.Text)
		}
		planted := false
		for _, f := range flags {
			c := cell{"", f.Rule, f.Class}
			_, spoiled := w.faults.spoiled[c]
			planted = planted || f.Kind == Breach && (spoiled || w.faults.lost[c])
			if slices.ContainsFunc(revised.Sentences, func(s Sentence) bool { return s.Kind == Breach && s.Rule == f.Rule && s.Class == f.Class }) {
				t.Fatalf("%q is still in %q", f.Text, revised.Text)
			}
		}
		if planted {
			return
		}
		for i, s := range resp.Sentences {
			flagged := slices.ContainsFunc(flags, s.same)
			if now := revised.Sentences[i]; flagged && now.Kind != Clean || !flagged && now.Text != s.Text {
				t.Fatalf("%q became %q", resp.Text, revised.Text)
			}
		}
	})
}

// TestFaultSizes: the share of breaches missed, clean clauses flagged and so on is that of the planted cells.
func TestFaultSizes(t *testing.T) {
	w := New()
	r := rand.New(rand.NewPCG(9, 10))
	var breaks, missed, cleans, alarms int
	for range 20000 {
		p := w.DrawPrompt(r, false)
		resp := w.DrawResponse(r, p)
		for _, principle := range w.Principles() {
			flags := w.Flags(principle, resp)
			for _, s := range resp.Sentences {
				if s.Kind != Breach && s.Kind != Clean || !principle.CoversRule(s.Rule) {
					continue
				}
				flagged := slices.ContainsFunc(flags, s.same)
				if s.Kind == Breach {
					breaks++
					missed += count(!flagged)
				} else {
					cleans++
					alarms += count(flagged)
				}
			}
		}
	}
	size := map[string]float64{}
	for _, s := range w.faults.sizes {
		size[s.Name] = float64(s.Cells) / float64(s.Of)
	}
	if got, want := float64(missed)/float64(breaks), size["missed"]+size["unseen"]; got < want-0.012 || got > want+0.012 {
		t.Errorf("%.3f of the breaches are missed, planted %.3f", got, want)
	}
	if got, want := float64(alarms)/float64(cleans), size["false alarm"]; got < want-0.012 || got > want+0.012 {
		t.Errorf("%.3f of the clean clauses are flagged, planted %.3f", got, want)
	}
}

// TestJudgesAgreeWithTheTruth: without biases, the judge's errors are those of its critic; with them, its accuracy in
// one order is what issue and page state.
func TestJudgesAgreeWithTheTruth(t *testing.T) {
	w := New()
	r := rand.New(rand.NewPCG(11, 12))
	right, all, flipped := 0.0, 0, 0
	for range 20000 {
		p := w.DrawPrompt(r, false)
		a, b := w.DrawResponse(r, p), w.DrawResponse(r, p)
		principle := pick(r, w.Principles())
		truth := w.Prefers(principle, a, b)
		if len(w.Breaks(principle, a)) == len(w.Breaks(principle, b)) {
			continue
		}
		all++
		said := w.Judges(principle, a, b).Choice
		if said == truth {
			right++
		} else if said == Neither { // either answer is as likely
			right += 0.5
		}
		flipped += count(said != other(w.Judges(principle, b, a).Choice))
	}
	t.Logf("right %.4f of %d, flips %.4f", right/float64(all), all, float64(flipped)/float64(all))
	if share := right / float64(all); share < 0.88 || share > 0.96 {
		t.Errorf("the judge is right about %.3f of %d pairs", share, all)
	}
	if share := float64(flipped) / float64(all); share < 0.02 || share > 0.11 {
		t.Errorf("the judge changes its mind with the order in %.3f of the pairs", share)
	}
}

// TestCoverage: each rule is covered by a broad principle drawn at random with probability 0.45 at least.
func TestCoverage(t *testing.T) {
	w := New()
	broad := 0
	counts := make([]int, len(w.rules))
	for _, p := range w.Principles() {
		if !p.Broad {
			continue
		}
		broad++
		for _, rule := range p.Covers {
			counts[rule]++
		}
	}
	for i, n := range counts {
		if float64(n) < 0.45*float64(broad) {
			t.Errorf("rule %s is covered by %d of %d broad principles", w.rules[i].ID, n, broad)
		}
	}
}

// TestConstitution: the constitution testbed is the world's: its principles, the words of its rules, and
// demonstrations and judgements that the world's own critic, reviser and judge could have written.
func TestConstitution(t *testing.T) {
	w := New()
	doc, err := constitution.Load("testbed")
	if err != nil {
		t.Fatal(err)
	}
	if len(doc.Principles) != len(w.Principles()) {
		t.Fatalf("%d principles, the world has %d", len(doc.Principles), len(w.Principles()))
	}
	for i, p := range w.Principles() {
		own := doc.Principles[i]
		if own.ID != p.ID || own.Weight != float64(count(p.Broad)) {
			t.Errorf("principle %d is %s with weight %v, the world has %s", i, own.ID, own.Weight, p.ID)
		}
		if !p.Broad && own.Text != w.rules[p.Covers[0]].Statements[0] {
			t.Errorf("principle %s says %q", own.ID, own.Text)
		}
	}
	for _, d := range doc.Demonstrations {
		p, ok := w.ReadPrompt(d.Prompt)
		r := w.ReadResponse(p, d.Response)
		principle, _ := w.Principle(d.Principle)
		if !ok || !r.InGrammar() || !w.ReadResponse(p, d.Revision).InGrammar() {
			t.Errorf("the demonstration %q is not of this world", d.Prompt)
		}
		if want := w.WriteCritique(principle, r, w.Flags(principle, r)); d.Critique != want {
			t.Errorf("the demonstration's critique is %q, the world's critic says %q", d.Critique, want)
		}
	}
	for _, j := range doc.Judgements {
		p, ok := w.ReadPrompt(j.Prompt)
		a, b := w.ReadResponse(p, j.A), w.ReadResponse(p, j.B)
		principle, _ := w.Principle(j.Principle)
		if !ok || !a.InGrammar() || !b.InGrammar() {
			t.Errorf("the judgement of %q is not of this world", j.Prompt)
		}
		side := map[constitution.Side]Choice{constitution.SideA: A, constitution.SideB: B}[j.Better]
		// The sides are tried both ways round, so that no planted fault of the judge is at work.
		if got := w.Judges(principle, a, b); got != (Judgement{Choice: side}) || w.Judges(principle, b, a) != (Judgement{Choice: other(side)}) {
			t.Errorf("the judgement of %q is %s, the world's judge says %+v", j.Prompt, j.Better, got)
		}
		if j.JudgeInstruction != JudgeQuestion(principleText(doc, j.Principle)) {
			t.Errorf("the judgement of %q asks %q", j.Prompt, j.JudgeInstruction)
		}
		if want := w.Reasons(principle, a, b); j.Use != constitution.UseTest && j.Reasons != want {
			t.Errorf("the judgement's reasons are %q, the world's judge says %q", j.Reasons, want)
		}
	}
}

func principleText(doc *constitution.Document, id string) string {
	p, _ := doc.Principle(id)
	return p.Text
}
