package revise

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/chat"
)

// memStore is a Memory in a map. It fails from some call on, if it is to.
type memStore struct {
	turns     map[Key]TurnResult
	recalled  int
	failAfter int // calls of Put; 0: never
	err       error
}

func newShelf() *memStore { return &memStore{turns: map[Key]TurnResult{}} }

func (s *memStore) Get(k Key) (TurnResult, bool, error) {
	o, ok := s.turns[k]
	if ok {
		s.recalled++
	}
	return o, ok, nil
}

func (s *memStore) Put(k Key, o TurnResult) error {
	if s.failAfter > 0 {
		if s.failAfter--; s.failAfter == 0 {
			s.err = errors.New("the disk is full")
		}
	}
	if s.err != nil {
		return s.err
	}
	s.turns[k] = o
	return nil
}

// alike are the rows without what depends on what ran beside them.
func alike(records map[string]Record) map[string]Record {
	out := map[string]Record{}
	for id, r := range records {
		turns := make([]Turn, len(r.Turns))
		for i, t := range r.Turns {
			t.Reused = 0
			if t.Gate != nil {
				d := *t.Gate
				d.Reused = 0
				t.Gate = &d
			}
			turns[i] = t
		}
		r.Turns = turns
		if r.Gated != nil {
			g := *r.Gated
			g.Verdicts = slices.Clone(g.Verdicts)
			for i := range g.Verdicts {
				g.Verdicts[i].Reused = 0
			}
			r.Gated = &g
		}
		out[id] = r
	}
	return out
}

// TestStoppedAnywhere: a run that was stopped after any number of turns and is begun again gives the rows of one that
// was not, and computes no turn twice.
func TestStoppedAnywhere(t *testing.T) {
	want := alike(newWorld(t, testSettings, 5, false).run(t, inputs(6), 4))
	rapid.Check(t, func(rt *rapid.T) {
		s := newShelf()
		for {
			s.failAfter, s.err = rapid.IntRange(1, 12).Draw(rt, "turns before it stops"), nil
			w := newWorld(t, testSettings, 5, false)
			w.loop.Use(s, "env")
			got := map[string]Record{}
			err := w.loop.Run(t.Context(), w.engine, 4, Rows(inputs(6)), func(r Record) error { got[r.ID] = r; return nil })
			if err == nil {
				if !reflect.DeepEqual(alike(got), want) {
					rt.Fatal("the rows differ from those of a run that was not stopped")
				}
				if len(s.turns) != 6*5 {
					rt.Fatalf("%d turns were computed, there are %d", len(s.turns), 6*5)
				}
				return
			}
			if s.err == nil || !errors.Is(err, s.err) {
				rt.Fatalf("it stopped by %v", err)
			}
		}
	})
}

// endsAt ends a run when its first turn is kept.
type endsAt struct {
	*memStore
	end func()
}

func (e endsAt) Put(k Key, o TurnResult) error {
	defer e.end()
	return e.memStore.Put(k, o)
}

// TestEndFinishesTurns: when a run is to end, the turns that are under way are finished and kept, and none is begun.
func TestEndFinishesTurns(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	s := newShelf()
	w := newWorld(t, testSettings, 5, false)
	w.loop.Use(endsAt{s, end}, "env")
	err := w.loop.Run(ctx, w.engine, 4, Rows(inputs(6)), func(r Record) error {
		t.Errorf("row %s was finished", r.ID)
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(s.turns) != 4 {
		t.Errorf("%v with %d turns, want one of each of 4 rows", err, len(s.turns))
	}
}

// TestWhatAnEditReaches: after a change every turn that does not depend on it is remembered.
func TestWhatAnEditReaches(t *testing.T) {
	run := func(s *memStore, settings Settings, rows []Row, environment string, edit func(*fixture)) (computed int) {
		w := newWorld(t, settings, 5, false)
		if edit != nil {
			edit(w)
		}
		w.loop.Use(s, environment)
		plan, err := w.loop.Plan(t.Context(), rows)
		if err != nil {
			t.Fatal(err)
		}
		before := len(s.turns)
		got := w.run(t, rows, 4)
		turns := 0
		for _, r := range got {
			turns += len(r.Turns)
			if rows[r.Index].Response != nil {
				turns--
			}
		}
		computed = len(s.turns) - before
		if plan.Rows != len(rows) || plan.Reused+plan.Turns != turns || plan.Turns < computed {
			t.Errorf("planned %+v, there were %d turns and %d were computed", plan, turns, computed)
		}
		return computed
	}
	with := func(change func(*Settings)) Settings { s := testSettings; change(&s); return s }
	rewrite := func(id string) func(*fixture) {
		return func(w *fixture) {
			for i, p := range w.loop.doc.Principles {
				if p.ID == id {
					w.loop.doc.Principles[i].CritiqueRequest = "Is it quite so?"
				}
			}
		}
	}
	rows := inputs(6)
	drawnIn := func(id string) (first int) { // turns from the first round on that draws it
		w := newWorld(t, testSettings, 5, false)
		for _, r := range rows {
			for round := 1; round <= 2; round++ {
				if p, _ := w.loop.doc.Draw(RowSeed(7, r.ID), round, r.Attributes); p.ID == id {
					first += 5 - (2*round - 1)
					break
				}
			}
		}
		return first
	}
	for _, tt := range []struct {
		name     string
		settings Settings
		rows     []Row
		env      string
		edit     func(*fixture)
		least    int // turns to be computed
		most     int
	}{
		{"the same", testSettings, rows, "env", nil, 0, 0},
		{"one more round", with(func(s *Settings) { s.Rounds = 3 }), rows, "env", nil, 12, 12},
		{"one round less", with(func(s *Settings) { s.Rounds = 1 }), rows, "env", nil, 0, 0},
		{"more rows", testSettings, inputs(8), "env", nil, 10, 10},
		{"one principle edited", testSettings, rows, "env", rewrite("kind"), 1, drawnIn("kind")},
		{"another seed", with(func(s *Settings) { s.Seed = 8 }), rows, "env", nil, 30, 30},
		{"another temperature", with(func(s *Settings) { s.Sampling.Temperature = 0.9 }), rows, "env", nil, 30, 30},
		{"another model", testSettings, rows, "other", nil, 30, 30},
		{"another grammar, of critiques alone", with(func(s *Settings) { s.CritiqueGrammarName = "g" }), rows, "env", nil, 12, 24},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf()
			run(s, testSettings, rows, "env", nil)
			if n := run(s, tt.settings, tt.rows, tt.env, tt.edit); n < tt.least || n > tt.most {
				t.Errorf("%d turns were computed, want %d to %d", n, tt.least, tt.most)
			}
		})
	}
}

// TestLimits: another limit keeps the turns that it would not have ended elsewhere, and no other.
func TestLimits(t *testing.T) {
	fresh := func(limit int) map[string]Record {
		s := testSettings
		s.MaxTokens = limit
		return alike(newWorld(t, s, 5, false).run(t, inputs(6), 4))
	}
	for _, limits := range [][2]int{{12, 20}, {12, 6}, {6, 12}, {12, 12}} {
		s := newShelf()
		for _, limit := range limits {
			settings := testSettings
			settings.MaxTokens = limit
			w := newWorld(t, settings, 5, false)
			w.loop.Use(s, "env")
			s.recalled = 0
			if got := alike(w.run(t, inputs(6), 4)); !reflect.DeepEqual(got, fresh(limit)) {
				t.Errorf("limits %v: the rows under %d are not those of a fresh run", limits, limit)
			}
		}
		if s.recalled == 0 {
			t.Errorf("limits %v: nothing was remembered", limits)
		}
	}
}

// TestKeysDiffer: any part of a turn makes another key.
func TestKeysDiffer(t *testing.T) {
	seen := map[Key]string{}
	for name, change := range map[string]func(*fixture, *Kind, *[]engine.Token, *uint64){
		"nothing":     func(*fixture, *Kind, *[]engine.Token, *uint64) {},
		"tokens":      func(_ *fixture, _ *Kind, tokens *[]engine.Token, _ *uint64) { (*tokens)[1] = 9 },
		"length":      func(_ *fixture, _ *Kind, tokens *[]engine.Token, _ *uint64) { *tokens = append(*tokens, 0) },
		"seed":        func(_ *fixture, _ *Kind, _ *[]engine.Token, seed *uint64) { *seed = 9 },
		"environment": func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.environment = "x" },
		"temperature": func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.settings.Sampling.Temperature = 2 },
		"top-k":       func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.settings.Sampling.TopK = 2 },
		"top-p":       func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.settings.Sampling.TopP = 0.5 },
		"min-p":       func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.settings.Sampling.MinP = 0.5 },
		"bias": func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) {
			w.loop.settings.Sampling.LogitBias = map[engine.Token]float64{3: 1}
		},
		"logprobs": func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) { w.loop.settings.LogProbs = true },
		"thinking": func(w *fixture, _ *Kind, _ *[]engine.Token, _ *uint64) {
			w.loop.settings.Think = chat.ThinkTags{Open: "<t>", Close: "</t>"}
		},
		"grammar": func(w *fixture, kind *Kind, _ *[]engine.Token, _ *uint64) {
			w.loop.settings.CritiqueGrammarName, *kind = "g", Critique
		},
	} {
		w := newWorld(t, testSettings, 2, false)
		kind, tokens, seed := Response, []engine.Token{1, 2, 3}, uint64(7)
		change(w, &kind, &tokens, &seed)
		k := w.loop.key(kind, tokens, seed)
		if other, ok := seen[k]; ok {
			t.Errorf("%s and %s have the same key", name, other)
		}
		seen[k] = name
	}
	if len(seen) < 13 {
		t.Errorf("%d keys: %v", len(seen), seen)
	}
}

// TestSamplesOfAPrompt: rows of one prompt are drawn separately, each under an id of its own, and say which they are.
func TestSamplesOfAPrompt(t *testing.T) {
	rows := Samples(inputs(2), 3)
	got := newWorld(t, testSettings, 5, false).run(t, rows, 4)
	texts := map[string]bool{}
	for i, r := range rows {
		rec := got[r.ID]
		if r.Index != i || rec.Index != i || rec.Sample == nil || rec.ID != fmt.Sprintf("%s~%d", rec.Sample.Of, rec.Sample.Number) {
			t.Errorf("row %d: %+v, record %+v", i, r, rec)
		}
		texts[rec.Sample.Of+rec.Turns[0].Text] = true
	}
	if len(got) != 6 || len(texts) < 5 {
		t.Errorf("%d rows with %d different answers", len(got), len(texts))
	}
	if same := Samples(inputs(2), 1); same[1].ID != "row1" || same[1].Sample != nil {
		t.Errorf("one sample each: %+v", same)
	}
}

// TestPlannedTokens: a run reads no more tokens than planned, with drafts as long as they can be, and not far fewer than
// planned with drafts of no tokens.
func TestPlannedTokens(t *testing.T) {
	for _, s := range []Settings{
		{Rounds: 1, Mode: Faithful, MaxTokens: 12}, {Rounds: 3, Mode: Faithful, MaxTokens: 12},
		{Rounds: 3, Mode: Append, MaxTokens: 12}, {Rounds: 2, Mode: Faithful, MaxTokens: 12, NoCritique: true}, {MaxTokens: 12},
	} {
		w := newWorld(t, s, 5, false)
		plan, err := w.loop.Plan(t.Context(), inputs(8))
		if err != nil {
			t.Fatal(err)
		}
		w.run(t, inputs(8), 4)
		st := w.engine.Stats()
		least := len(w.loop.Prefix()) + plan.Prompt
		most := least + plan.Drafts*s.MaxTokens
		if st.Prefilled > most || st.Prefilled < least*8/10 {
			t.Errorf("%+v: %d tokens were read, planned were %d to %d", s, st.Prefilled, least, most)
		}
		if st.Decoded > plan.Turns*s.MaxTokens {
			t.Errorf("%+v: %d tokens were written in %d planned turns", s, st.Decoded, plan.Turns)
		}
	}
}
