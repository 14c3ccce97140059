package revise

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
	"amend/engine/fit"
)

// fitting are settings by which principles are drawn by fit: some titles are usual, and some are not.
func fitting(t *rapid.T) Settings {
	s := testSettings
	s.Seed, s.Rounds, s.Tries = rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 3).Draw(t, "rounds"), rapid.IntRange(0, 3).Draw(t, "tries")
	s.Mode = rapid.SampledFrom(Modes()).Draw(t, "mode")
	s.Demonstrations = rapid.SampledFrom(Places()).Draw(t, "demonstrations")
	s.Sampling.Temperature, s.Draw = 1, Fitting
	s.Fit = &fit.Calibration{Sharpness: rapid.Float64Range(0.2, 3).Draw(t, "sharpness"), Base: map[string]float64{}}
	for _, id := range []string{"kind", "frank", "brief"} {
		s.Fit.Base[id] = rapid.Float64Range(-40, 0).Draw(t, id)
	}
	return s
}

// kept is a memory that says what it keeps of the draws.
type kept struct {
	*memStore
	scores [][]float64
}

func (k *kept) Put(key Key, o TurnResult) error {
	if o.Scores != nil {
		k.scores = append(k.scores, o.Scores)
	}
	return k.memStore.Put(key, o)
}

// TestFitting: each draft is asked about once; the first principle of a round is the one that a draw by the weighed document
// gives, and none comes twice in a round before all were tried. A run that goes on computes nothing again, and a row's draws do
// not depend on its neighbours.
func TestFitting(t *testing.T) {
	others := 0 // draws after the first of a round
	check := func(rt *rapid.T) {
		s := fitting(rt)
		w := newWorldOf(t, aloneDocument, s, nil, 8, false)
		memory := &kept{memStore: newShelf()}
		w.loop.Use(memory, "env")
		rows := inputs(1)
		rec := w.run(t, rows, 1)[rows[0].ID]
		var asked []string // the drafts, each once
		for round := 1; round <= s.Rounds; round++ {
			answer, _ := rec.After(round - 1)
			draft := slices.Index(asked, fmt.Sprint(answer.Tokens))
			if draft < 0 {
				draft, asked = len(asked), append(asked, fmt.Sprint(answer.Tokens))
			}
			doc, err := s.Fit.Weigh(w.loop.doc, memory.scores[draft])
			if err != nil {
				rt.Fatal(err)
			}
			var drawn []string
			for _, turn := range rec.Turns {
				if turn.Round == round && turn.Kind == Critique {
					drawn = append(drawn, turn.Principle)
				}
			}
			want, _ := doc.Draw(rec.Seed, round, constitution.Attributes{})
			if len(drawn) == 0 || drawn[0] != want.ID {
				rt.Fatalf("round %d was under %v, want first %s of %+v", round, drawn, want.ID, memory.scores[draft])
			}
			drawn = slices.Compact(drawn) // the second try is under the same one
			for i := 1; i < min(len(drawn), 3); i++ {
				pool := doc.DrawSeveral(drawsSeed(rec.Seed, round), 3, constitution.Attributes{})
				next := slices.IndexFunc(pool, func(p constitution.Principle) bool { return !slices.Contains(drawn[:i], p.ID) })
				others++
				if drawn[i] != pool[next].ID {
					rt.Fatalf("round %d tried %v, want %s", round, drawn, pool[next].ID)
				}
			}
			if first := drawn[:min(len(drawn), 3)]; len(first) != len(slices.Compact(slices.Sorted(slices.Values(first)))) {
				rt.Fatalf("round %d tried %v", round, drawn)
			}
		}
		if len(memory.scores) != len(asked) {
			rt.Fatalf("asked %d times about %d drafts", len(memory.scores), len(asked))
		}
		again := newWorldOf(t, aloneDocument, s, nil, 8, false)
		again.loop.Use(memory, "env")
		if got := again.run(t, rows, 1)[rows[0].ID]; got.Turns[len(got.Turns)-1].Text != rec.Turns[len(rec.Turns)-1].Text || again.engine.Stats().Scored != 0 {
			rt.Fatalf("a run that goes on scored %d titles", again.engine.Stats().Scored)
		}
		beside := newWorldOf(t, aloneDocument, s, nil, 8, true)
		if got := beside.run(t, inputs(4), 3)[rows[0].ID]; !slices.EqualFunc(got.Turns, rec.Turns, func(a, b Turn) bool { return a.Principle == b.Principle && a.Text == b.Text }) {
			rt.Fatalf("beside others\n%+v\nalone\n%+v", got.Turns, rec.Turns)
		}
	}
	const most = 20 // times: a few cases need not have such a draw
	for n := 0; n == 0 || others == 0 && n < most; n++ {
		rapid.Check(t, check)
	}
	if others == 0 {
		t.Error("no round was tried under another principle")
	}
}

// TestFittingBluntly: a model that tells nothing of principles is not asked, and draws as Random does.
func TestFittingBluntly(t *testing.T) {
	s := testSettings
	s.Rounds = 2
	s.Draw = Random
	random := newWorldOf(t, aloneDocument, s, nil, 8, false).run(t, inputs(3), 2)
	s.Draw, s.Fit = Fitting, &fit.Calibration{Base: map[string]float64{"kind": -3}}
	w := newWorldOf(t, aloneDocument, s, nil, 8, false)
	for id, rec := range w.run(t, inputs(3), 2) {
		if !slices.EqualFunc(rec.Turns, random[id].Turns, func(a, b Turn) bool { return a.Principle == b.Principle && a.Text == b.Text }) {
			t.Errorf("%s\n%+v\nat random\n%+v", id, rec.Turns, random[id].Turns)
		}
	}
	if n := w.engine.Stats().Scored; n != 0 {
		t.Errorf("%d titles were scored", n)
	}
}

// TestNeedOfFitting: the question about the longest draft is within what a row is said to need.
func TestNeedOfFitting(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := fitting(rt)
		w := newWorldOf(t, aloneDocument, s, nil, 8, false)
		row := inputs(1)[0]
		need, err := w.loop.Need(t.Context(), row)
		if err != nil {
			rt.Fatal(err)
		}
		rec := w.run(t, []Row{row}, 1)[row.ID]
		r := w.loop.newRow(row)
		if err := r.open(); err != nil {
			rt.Fatal(err)
		}
		longest := 0
		for _, answer := range rec.Answers() {
			q, err := fit.Ask(t.Context(), r.opening, answer.Tokens, w.loop.doc.Principles)
			if err != nil {
				rt.Fatal(err)
			}
			longest = max(longest, q.Longest())
		}
		limit := need.Tokens
		if !w.loop.isShared(r.opening) {
			limit = min(limit, need.Unshared)
		}
		if longest > limit || math.MaxInt == limit {
			rt.Fatalf("a question has %d tokens, and the need is %+v", longest, need)
		}
	})
}
