package engine_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/enginetest"
)

// timeline is a long random life of one engine: turns and scores are submitted,
// branch from any point of earlier conversations, and the run is cancelled and
// taken up again in between.
type timeline struct {
	t      *rapid.T
	model  *enginetest.Model
	engine *engine.Engine
	texts  [][]engine.Token // conversations so far
	open   int
	left   int // submissions to come
	serial int
}

// TestTimelines: whatever is submitted, forked, scored, cancelled and evicted,
// in either layout, with or without drafted tokens, each result is what the turn alone
// gives, and tree and cache agree after every step.
func TestTimelines(t *testing.T) { rapid.Check(t, lifeOfAnEngine) }

// FuzzTimelines is the same with inputs that coverage guides.
func FuzzTimelines(f *testing.F) { f.Fuzz(rapid.MakeFuzz(lifeOfAnEngine)) }

func lifeOfAnEngine(t *rapid.T) {
	l := drawLimits(t)
	l.Outputs = rapid.IntRange(l.Sequences, l.Batch).Draw(t, "outputs")
	m := enginetest.New(l)
	m.EndBias = float32(rapid.IntRange(-2, 2).Draw(t, "end bias"))
	m.Repeat = rapid.IntRange(0, 3).Draw(t, "repeat")
	if l.Unified && rapid.Bool().Draw(t, "short of cells") {
		m.Slots = rapid.IntRange(l.Context, l.Cells).Draw(t, "slots")
	}
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	if rapid.Bool().Draw(t, "speculate") {
		e.Speculate([]engine.StepCost{{Sequences: 1, Tokens: 1, Seconds: 1}, {Sequences: 1, Tokens: 8, Seconds: 1.1}})
	}
	x := &timeline{t: t, model: m, engine: e, texts: [][]engine.Token{{1, 2, 3, 1, 2, 4}}, left: rapid.IntRange(1, 25).Draw(t, "submissions")}
	for x.left > 0 {
		x.burst()
		x.run()
	}
	if x.open != 0 {
		t.Fatalf("%d requests never ended", x.open)
	}
}

func (x *timeline) burst() {
	for range min(x.left, rapid.IntRange(1, 6).Draw(x.t, "burst")) {
		x.submit()
	}
}

// run runs to the end, or is cancelled after some steps: requests that were
// under way end with ErrStopped, and the cache goes on to be used.
func (x *timeline) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	x.model.CancelAfter(rapid.IntRange(0, 12).Draw(x.t, "cancel after"), cancel)
	err := x.engine.Run(ctx)
	x.model.CancelAfter(0, nil)
	if err != nil && !errors.Is(err, context.Canceled) {
		x.t.Fatal(err)
	}
}

// submit asks for a turn or a score that goes on from a random point of what
// was said.
func (x *timeline) submit() {
	x.left--
	base := x.texts[rapid.IntRange(0, len(x.texts)-1).Draw(x.t, "base")]
	prompt := append(slices.Clone(base[:rapid.IntRange(1, min(len(base), 24)).Draw(x.t, "cut")]), rapid.SliceOfN(rapid.Int32Range(1, 4), 0, 4).Draw(x.t, "own")...)
	x.serial++
	if rapid.IntRange(0, 3).Draw(x.t, "kind") == 0 {
		x.score(prompt)
		return
	}
	r := request(x.serial, 0, prompt)
	r.MaxTokens = rapid.IntRange(1, 9).Draw(x.t, "max tokens")
	if rapid.Bool().Draw(x.t, "greedy") {
		r.Sampling.Temperature = 0
	}
	r.LogProbs = true
	want, err := x.model.Continue(r)
	if err != nil {
		x.t.Fatal(err)
	}
	x.open++
	r.Done = func(got engine.Result) {
		x.open--
		if errors.Is(got.Err, engine.ErrStopped) || x.noRoom(got.Err) {
			return
		}
		if got.Err != nil || !slices.Equal(got.Tokens, want.Tokens) || got.End != want.End || !slices.Equal(got.LogProbs, want.LogProbs) {
			x.t.Fatalf("turn %d after %v: %v %q %v, alone %v %q", x.serial, prompt, got.Tokens, got.End, got.Err, want.Tokens, want.End)
		}
		x.texts = append(x.texts, slices.Concat(prompt, got.Tokens))
		if x.left > 0 && rapid.Bool().Draw(x.t, "go on") {
			x.submit()
		}
	}
	if err := x.engine.Submit(&r); err != nil {
		x.t.Fatal(err)
	}
}

// noRoom accepts a row that cannot run even alone in the cells there really are.
func (x *timeline) noRoom(err error) bool {
	return x.model.Slots > 0 && errors.Is(err, engine.ErrNoSlot)
}

func (x *timeline) score(prompt []engine.Token) {
	var options [][]engine.Token
	for range rapid.IntRange(1, 4).Draw(x.t, "options") {
		options = append(options, rapid.SliceOfN(rapid.Int32Range(1, 4), 1, 3).Draw(x.t, "option"))
	}
	x.open++
	err := x.engine.Score(&engine.Score{Tokens: prompt, Options: options, Done: func(got engine.Scores) {
		x.open--
		if errors.Is(got.Err, engine.ErrStopped) || x.noRoom(got.Err) {
			return
		}
		if got.Err != nil {
			x.t.Fatal(got.Err)
		}
		for i, o := range options {
			for k := range o {
				want := x.model.LogProb(slices.Concat(prompt, o[:k]), o[k])
				if math.Abs(got.LogProbs[i][k]-want) > 1e-6 {
					x.t.Fatalf("option %v, token %d: log-prob %v, alone %v", o, k, got.LogProbs[i][k], want)
				}
			}
		}
	}})
	if err != nil {
		x.t.Fatal(err)
	}
}

// TestScoreRefusesForeignTokens: an option outside the vocabulary fails its
// score with the token, and nothing else.
func TestScoreRefusesForeignTokens(t *testing.T) {
	m := enginetest.New(engine.Limits{Sequences: 2, Context: 40, Cells: 80, Batch: 8})
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	var failed, fine error
	for _, c := range []struct {
		token engine.Token
		err   *error
	}{{enginetest.VocabSize, &failed}, {3, &fine}} {
		err := e.Score(&engine.Score{Tokens: []engine.Token{1, 2}, Options: [][]engine.Token{{c.token}, {1, 2}}, Done: func(s engine.Scores) { *c.err = s.Err }})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if failed == nil || !strings.Contains(failed.Error(), "token 27") || fine != nil {
		t.Errorf("a foreign token: %v; a known one: %v", failed, fine)
	}
}

// TestCalibrateWhereGuessesCannotBe: a memory that cannot be cut gets no costs
// and no error, since a run does without drafted tokens then; any other gets costs and
// an empty cache.
func TestCalibrateWhereGuessesCannotBe(t *testing.T) {
	for _, uncuttable := range []bool{true, false} {
		m := enginetest.New(engine.Limits{Sequences: 4, Context: 60, Cells: 240, Batch: 32, Uncuttable: uncuttable})
		e, err := engine.New(m, m, engine.Config{Verify: true})
		if err != nil {
			t.Fatal(err)
		}
		var told [][2]int
		costs, err := e.Calibrate(context.Background(), []engine.Token{1, 2, 3, 4, 5, 6, 7, 8}, 3, func(done, of int) { told = append(told, [2]int{done, of}) })
		if of := 3 * (1 + 3) * (1 + 4 + 8); !uncuttable && (len(told) != 18 || told[17] != [2]int{of, of}) {
			t.Errorf("told of %v, want 18 passes that end with all %d tokens", told, of)
		}
		if err != nil || (len(costs) == 0) != uncuttable {
			t.Errorf("uncuttable %v: %d costs, %v", uncuttable, len(costs), err)
		}
		for seq := range 4 {
			if first, last := m.Positions(seq); first != -1 || last != -1 {
				t.Errorf("uncuttable %v: sequence %d holds %d to %d afterwards", uncuttable, seq, first, last)
			}
		}
		e.Speculate(costs)
	}
}
