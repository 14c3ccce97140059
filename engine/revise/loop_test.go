package revise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
	"amend/engine/feedback"
	"amend/engine/sample"
)

const testDocument = `
name: test
principles:
  - {id: kind, title: k, text: Be kind., critique_request: "Is it kind?", revision_request: Make it kind.}
  - {id: frank, title: f, text: Be frank., critique_request: "Is it frank?", revision_request: Make it frank.}
demonstrations:
  - {prompt: p one, response: r one, principle: kind, critique: c one, revision: v one}
`

// fixture is a loop over the fake model, and what it ran with.
type fixture struct {
	model  *enginetest.Model
	engine *engine.Engine
	loop   *Loop
}

func newWorld(t *testing.T, s Settings, sequences int, noReuse bool) *fixture {
	t.Helper()
	return newWorldOf(t, testDocument, s, nil, sequences, noReuse)
}

// newWorldOf is newWorld with another constitution, and with a gate if there is one, whose judge it makes.
func newWorldOf(t *testing.T, document string, s Settings, gate *Gate, sequences int, noReuse bool) *fixture {
	t.Helper()
	doc, err := constitution.Parse("test.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	m := enginetest.New(engine.Limits{Sequences: sequences, Context: 1200, Cells: 1200 * sequences, Batch: 64})
	m.EndBias = 2
	e, err := engine.New(m, m, engine.Config{Verify: true, NoReuse: noReuse})
	if err != nil {
		t.Fatal(err)
	}
	f, err := chat.NewFormatter(t.Context(), chat.Plain{}, enginetest.Letters{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	if gate != nil {
		copied := *gate
		if copied.Judge, err = feedback.New(t.Context(), f, doc, feedback.Settings{Layout: feedback.OptionsFirst, MinMass: testMinMass}); err != nil {
			t.Fatal(err)
		}
		s.Gate = &copied
	}
	l, err := New(t.Context(), f, doc, s)
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{m, e, l}
}

func inputs(n int) []Row {
	var rows []Row
	for i := range n {
		rows = append(rows, Row{ID: fmt.Sprint("row", i), Index: i, Messages: []chat.Message{{Role: chat.User, Text: strings.Repeat("x", i%5) + fmt.Sprint(" question ", i)}}})
	}
	return rows
}

func (w *fixture) run(t *testing.T, rows []Row, parallel int) map[string]Record {
	t.Helper()
	if err := w.engine.Pin(t.Context(), w.loop.Prefix()); err != nil {
		t.Fatal(err)
	}
	out := map[string]Record{}
	err := w.loop.Run(t.Context(), w.engine, parallel, Rows(rows), func(r Record) error {
		if _, twice := out[r.ID]; twice {
			t.Errorf("row %s came twice", r.ID)
		}
		out[r.ID] = r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var testSettings = Settings{Rounds: 2, Mode: Faithful, MaxTokens: 12, Sampling: sample.Params{Temperature: 1}, Seed: 7}

// TestTogetherAsAlone: rows run side by side have the turns that they have
// alone, and the turns that they have without any reuse.
func TestTogetherAsAlone(t *testing.T) {
	for _, mode := range Modes() {
		s := testSettings
		s.Mode = mode
		together := newWorld(t, s, 5, false).run(t, inputs(9), 4)
		if len(together) != 9 {
			t.Fatalf("%s: %d of 9 rows", mode, len(together))
		}
		for _, in := range inputs(9) {
			alone := newWorld(t, s, 2, true).run(t, []Row{in}, 1)[in.ID]
			if got, want := texts(together[in.ID]), texts(alone); !slices.Equal(got, want) {
				t.Errorf("%s, row %s: %q together, %q alone", mode, in.ID, got, want)
			}
		}
	}
}

func texts(r Record) []string {
	var out []string
	for _, t := range r.Turns {
		out = append(out, fmt.Sprintf("%s %d %s %s %v", t.Kind, t.Round, t.Principle, t.Text, t.Tokens))
	}
	return out
}

// TestWhatTheModelSees spells out the prompts of a row's turns in both modes.
func TestWhatTheModelSees(t *testing.T) {
	for _, mode := range Modes() {
		s := testSettings
		s.Mode = mode
		w := newWorld(t, s, 2, false)
		rec := w.run(t, inputs(1), 1)["row0"]
		kinds := []Kind{Response, Critique, Revision, Critique, Revision}
		if len(rec.Turns) != len(kinds) {
			t.Fatalf("%s: %d turns", mode, len(rec.Turns))
		}
		size := func(text string) int { return len(text) }
		prompt := len(w.loop.Prefix()) + size("\n\nHuman: question 0") - size("\n\nHuman:") + size("\n\nAssistant:")
		reply := func(i int) int { return len(rec.Turns[i].Tokens) }
		ask := func(text string) int { return size("\n\nHuman: " + text + "\n\nAssistant:") }
		want := []int{prompt}
		base := prompt
		for round := 1; round <= 2; round++ {
			draft := 2 * (round - 1)
			c := base + reply(draft) + ask(rec.Turns[2*round-1].Request)
			v := c + reply(2*round-1) + ask(rec.Turns[2*round].Request)
			want = append(want, c, v)
			if mode == Append {
				base = v
			}
		}
		for i, turn := range rec.Turns {
			if turn.Kind != kinds[i] || turn.Prompt != want[i] {
				t.Errorf("%s: turn %d is a %s with %d prompt tokens, want a %s with %d", mode, i, turn.Kind, turn.Prompt, kinds[i], want[i])
			}
		}
	}
}

// TestWithoutCritiques: each revision is asked for straight below its draft, and Need still holds.
func TestWithoutCritiques(t *testing.T) {
	for _, mode := range Modes() {
		s := testSettings
		s.Mode, s.NoCritique = mode, true
		w := newWorld(t, s, 2, false)
		s.NoCritique = false
		shown := len(newWorld(t, s, 2, false).loop.Prefix()) - len(w.loop.Prefix())
		if want := len("\n\nHuman: Is it kind?\n\nAssistant: c one"); shown != want {
			t.Errorf("%s: critiques take %d tokens more of the demonstrations, want %d", mode, shown, want)
		}
		w.model.EndBias = -100 // every turn runs to its limit
		in := inputs(1)[0]
		rec := w.run(t, []Row{in}, 1)[in.ID]
		if len(rec.Turns) != 3 {
			t.Fatalf("%s: %v", mode, texts(rec))
		}
		base := rec.Turns[0].Prompt
		for i, turn := range rec.Turns[1:] {
			want := base + len(rec.Turns[i].Tokens) + len("\n\nHuman: "+turn.Request+"\n\nAssistant:")
			if turn.Kind != Revision || turn.Round != i+1 || turn.Principle == "" || turn.Prompt != want {
				t.Errorf("%s: %+v, want a revision of %d prompt tokens", mode, turn, want)
			}
			if mode == Append {
				base = want
			}
		}
		need, err := w.loop.Need(t.Context(), in)
		if most := rec.Turns[2].Prompt + s.MaxTokens; err != nil || most > need.Tokens || need.Tokens > most+20 {
			t.Errorf("%s: the row held up to %d tokens, Need said %d, %v", mode, most, need.Tokens, err)
		}
	}
}

// TestEachTurnComputesOnlyItsNewTokens: after the preamble, what a faithful
// row computes is its prompt, the requests, the drafts that moved, and the one
// token of each turn that was sampled but not yet decoded.
func TestEachTurnComputesOnlyItsNewTokens(t *testing.T) {
	s := testSettings
	s.Mode = Append
	w := newWorld(t, s, 2, false)
	rec := w.run(t, inputs(1), 1)["row0"]
	computed := 0
	for i, turn := range rec.Turns {
		fresh := turn.Prompt - len(w.loop.Prefix())
		if i > 0 {
			fresh = turn.Prompt - rec.Turns[i-1].Prompt - len(rec.Turns[i-1].Tokens)
		}
		if got := turn.Prompt - turn.Reused; got > fresh+1 {
			t.Errorf("turn %d (%s) computed %d prompt tokens, %d of them are new", i, turn.Kind, got, fresh)
		}
		computed += turn.Prompt - turn.Reused
	}
	if got := w.engine.Stats().Prefilled; got != computed+len(w.loop.Prefix()) {
		t.Errorf("%d prompt tokens computed in all, turns %d and preamble %d", got, computed, len(w.loop.Prefix()))
	}
}

func TestGivenResponsesAndNoRounds(t *testing.T) {
	given := "an answer from elsewhere"
	rows := inputs(2)
	rows[1].Response = &given
	out := newWorld(t, testSettings, 3, false).run(t, rows, 2)
	if first := out["row1"].Turns[0]; first.End != EndGiven || first.Text != given || first.Decoded != 0 {
		t.Errorf("a given response became %+v", first)
	}
	s := testSettings
	s.Rounds = 0
	for id, rec := range newWorld(t, s, 3, false).run(t, rows, 2) {
		if len(rec.Turns) != 1 || rec.Turns[0].Kind != Response {
			t.Errorf("no rounds, row %s: %v", id, texts(rec))
		}
	}
}

// TestARowTooLongFailsAlone with the numbers, and keeps the turns it had.
func TestARowTooLongFailsAlone(t *testing.T) {
	rows := inputs(3)
	rows[1].Messages[0].Text = strings.Repeat("long ", 400)
	out := newWorld(t, testSettings, 3, false).run(t, rows, 2)
	if !strings.Contains(out["row1"].Error, "one row may hold 1200") {
		t.Errorf("the long row: %q", out["row1"].Error)
	}
	for _, id := range []string{"row0", "row2"} {
		if out[id].Error != "" || len(out[id].Turns) != 5 {
			t.Errorf("%s: %q, %d turns", id, out[id].Error, len(out[id].Turns))
		}
	}
}

// TestNeedIsEnough: a context as large as Need says holds the row, whatever it
// generates.
func TestNeedIsEnough(t *testing.T) {
	for _, mode := range Modes() {
		s := testSettings
		s.Mode = mode
		w := newWorld(t, s, 2, false)
		w.model.EndBias = -100 // every turn runs to its limit
		in := inputs(1)[0]
		need, err := w.loop.Need(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		rec := w.run(t, []Row{in}, 1)[in.ID]
		most := 0
		for _, turn := range rec.Turns {
			most = max(most, turn.Prompt+s.MaxTokens)
		}
		if most > need.Tokens || need.Tokens > most+20 {
			t.Errorf("%s: the row held up to %d tokens, Need said %d", mode, most, need.Tokens)
		}
	}
}

func TestSavingFailsStopsTheRun(t *testing.T) {
	w := newWorld(t, testSettings, 3, false)
	w.model.EndBias = -100 // turns run to their limit, so two rows end in the same step
	full := errors.New("disk full")
	calls := 0
	err := w.loop.Run(t.Context(), w.engine, 2, Rows(inputs(6)), func(Record) error { calls++; return full })
	if !errors.Is(err, full) || calls != 1 {
		t.Errorf("%v after %d rows", err, calls)
	}
}

// TestInterruptedRowsAreNotFailed: they are simply not there, to be run again.
// With one row alive the end comes while no turn is under way, and is an
// interruption all the same.
func TestInterruptedRowsAreNotFailed(t *testing.T) {
	for _, parallel := range []int{1, 2} {
		w := newWorld(t, testSettings, 3, false)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var out []Record
		err := w.loop.Run(ctx, w.engine, parallel, Rows(inputs(6)), func(r Record) error {
			out = append(out, r)
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || len(out) != 1 || out[0].Error != "" {
			t.Errorf("%d at once: %v, rows %v", parallel, err, out)
		}
	}
}

// TestPrinciplesDependOnTheRowAlone: order and neighbours do not change draws.
func TestPrinciplesDependOnTheRowAlone(t *testing.T) {
	rows := inputs(8)
	forward := newWorld(t, testSettings, 4, false).run(t, rows, 3)
	slices.Reverse(rows)
	backward := newWorld(t, testSettings, 4, false).run(t, rows, 2)
	drawn := map[string]bool{}
	for id, rec := range forward {
		if !slices.Equal(texts(rec), texts(backward[id])) {
			t.Errorf("row %s changed with its order", id)
		}
		drawn[rec.Turns[1].Principle] = true
	}
	if len(drawn) != 2 {
		t.Errorf("8 rows drew only %v", drawn)
	}
}
