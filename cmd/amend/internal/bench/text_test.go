package bench

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
	"amend/engine/revise"
)

// letters tokenizes for enginetest.Model: every byte is one of its letters.
type letters struct{ *enginetest.Model }

func (letters) Tokenize(text string, _, _ bool) ([]engine.Token, error) {
	var out []engine.Token
	for _, b := range []byte(text) {
		out = append(out, engine.Token(b%26)+1)
	}
	return out, nil
}
func (letters) Control(t engine.Token) bool { return t == 0 }
func (letters) BOS() engine.Token           { return -1 }

// closable is the fake model as a bench opens one.
type closable struct{ *enginetest.Model }

func (closable) Close() error { return nil }

// passTime is what a pass of the fake takes, however few tokens it has, as one
// over real weights does: guesses must seem to pay. Tests run in a bubble of
// testing/synctest, where it is all the time that passes.
const passTime = 300 * time.Microsecond

func (c closable) Decode(ctx context.Context, batch []engine.Input) error {
	time.Sleep(passTime)
	return c.Model.Decode(ctx, batch)
}

// fakeModel has turns that repeat what they said, so that guesses are right at
// times, and end by themselves at times.
func fakeModel(sequences, tokens int) *enginetest.Model {
	m := enginetest.New(engine.Limits{Sequences: sequences, Context: tokens, Cells: tokens * sequences, Batch: 64})
	m.EndBias, m.Repeat = 1, 3
	return m
}

func testDocument(t interface{ Fatal(...any) }) *constitution.Document {
	doc, err := constitution.Parse("test.yaml", []byte(`
name: test
principles:
  - {id: kind, title: k, text: Be kind., critique_request: "Is it kind?", revision_request: Make it kind.}
  - {id: frank, title: f, text: Be frank., critique_request: "Is it frank?", revision_request: Make it frank.}
  - {id: brief, title: b, text: Be brief., critique_request: "Is it brief?", revision_request: Make it brief.}
demonstrations:
  - {prompt: p one, response: r one, principle: kind, critique: c one, revision: v one}
  - {prompt: p two, response: r two, principle: frank, critique: c two, revision: v two}
`))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// someRows draws rows of all kinds: prompts, longer conversations, with a
// system text or with a response to start from.
func someRows(t *rapid.T) []revise.Row {
	var rows []revise.Row
	for i := range rapid.IntRange(1, 7).Draw(t, "rows") {
		r := revise.Row{ID: fmt.Sprint("row", i), Index: i}
		if rapid.Bool().Draw(t, "system") {
			r.Messages = append(r.Messages, chat.Message{Role: chat.System, Text: fmt.Sprint("obey ", i)})
		}
		if rapid.Bool().Draw(t, "longer") {
			r.Messages = append(r.Messages, chat.Message{Role: chat.User, Text: "hello"}, chat.Message{Role: chat.Assistant, Text: "yes"})
		}
		r.Messages = append(r.Messages, chat.Message{Role: chat.User, Text: fmt.Sprint("question ", i)})
		if rapid.Bool().Draw(t, "given") {
			given := fmt.Sprint("answer ", i)
			r.Response = &given
		}
		rows = append(rows, r)
	}
	return rows
}

func newLoop(t *rapid.T, doc *constitution.Document, s revise.Settings) (*revise.Loop, *chat.Formatter) {
	f, err := chat.NewFormatter(t.Context(), chat.Plain{}, letters{fakeModel(2, 64)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := revise.New(t.Context(), f, doc, s)
	if err != nil {
		t.Fatal(err)
	}
	return l, f
}

func newText(l *revise.Loop, rows []revise.Row, alive, need int) *text {
	return &text{
		loop: l, rows: rows, vocab: fakeModel(2, 64), alive: alive, need: need,
		open: func(_ runner.ContextPlan, sequences, tokens int) (closer, error) {
			return closable{fakeModel(sequences, tokens)}, nil
		},
		say: func(string, ...any) {},
	}
}

// TestTextCountsTheLoop: both variants do what the loop's own records, of rows
// run one after the other, say was done.
func TestTextCountsTheLoop(t *testing.T) { synctest.Test(t, testTextCountsTheLoop) }

// bubble keeps rapid from asking for the test's deadline, which there is none of
// in a bubble of synctest.
type bubble struct{ *testing.T }

func testTextCountsTheLoop(t *testing.T) {
	guesses := 0
	rapid.Check(bubble{t}, func(t *rapid.T) {
		s := revise.Settings{Rounds: rapid.IntRange(0, 2).Draw(t, "rounds"), Mode: revise.Faithful, MaxTokens: 9, Seed: 5}
		rows := someRows(t)
		l, _ := newLoop(t, testDocument(t), s)
		const need = 800
		text := newText(l, rows, rapid.IntRange(1, 4).Draw(t, "alive"), need)

		m := fakeModel(2, need)
		e, err := engine.New(m, m, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var want TextCounts
		decoded, prompts := 0, 0
		err = l.Run(t.Context(), e, 1, revise.Rows(rows), func(r revise.Record) error {
			for _, turn := range r.Turns {
				decoded += turn.Decoded
				prompts += turn.Prompt
				if turn.End != revise.EndGiven {
					want.add(turn.Kind, turn.End == engine.EndToken || turn.End == engine.EndStop)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{Amend, NoSpeculation} {
			v, _, err := text.run(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			got := TextCounts{Turns: v.Turns, Critiques: v.Critiques, Revisions: v.Revisions, EndedByItself: v.EndedByItself}
			if got != want || v.Decoded != decoded || v.Rows != len(rows) {
				t.Fatalf("%s: %+v with %d decoded, the records say %+v with %d", name, got, v.Decoded, want, decoded)
			}
			if pin := len(l.Prefix()); v.Computed+v.Reused != prompts+pin {
				t.Fatalf("%s: %d tokens computed and %d reused of prompts of %d and a preamble of %d", name, v.Computed, v.Reused, prompts, pin)
			}
			if n := s.Rounds * len(rows); v.Critiques != n || v.Revisions != n {
				t.Fatalf("%s: %d critiques and %d revisions of %d rows in %d rounds", name, v.Critiques, v.Revisions, len(rows), s.Rounds)
			}
			if name == NoSpeculation && v.Drafted+v.Accepted > 0 {
				t.Fatalf("%d guesses without speculation", v.Drafted)
			}
			guesses += v.Drafted
		}
	})
	if guesses == 0 {
		t.Error("no run guessed anything: the variant named amend does not speculate")
	}
}

// TestTextFigures: what is derived from counts and times.
func TestTextFigures(t *testing.T) {
	v := textVariant(Variant{WallS: 4, Computed: 1500, Decoded: 500}, TextCounts{Critiques: 6, Revisions: 10})
	if v.RevisionsPerS != 2.5 || v.CritiquesPer1k != 3 {
		t.Errorf("10 revisions in 4 s are %v a second, 6 critiques of 2,000 tokens %v per 1,000", v.RevisionsPerS, v.CritiquesPer1k)
	}
}

// TestTextFailsWithARow: figures of less work than was asked for are no figures.
func TestTextFailsWithARow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := someRows(t)
		at := rapid.IntRange(0, len(rows)-1).Draw(t, "too long")
		rows[at].Messages[len(rows[at].Messages)-1].Text = strings.Repeat("long ", 200)
		l, _ := newLoop(t, testDocument(t), revise.Settings{Rounds: 1, Mode: revise.Faithful, MaxTokens: 9})
		_, _, err := newText(l, rows, 2, 800).run(t.Context(), Amend)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint("row", at, " ")) {
			t.Fatalf("error %v, row%d is too long", err, at)
		}
	})
}
