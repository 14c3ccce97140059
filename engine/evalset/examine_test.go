package evalset

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
)

// fixture is an examiner over the fake model.
type fixture struct {
	examiner Examiner
	engine   *engine.Engine
}

func newFixture(t *testing.T, sequences int) *fixture {
	t.Helper()
	m := enginetest.New(engine.Limits{Sequences: sequences, Context: 200, Cells: 200 * sequences, Batch: 64})
	e, err := engine.New(m, m, engine.Config{Verify: true})
	if err != nil {
		t.Fatal(err)
	}
	format, err := chat.NewFormatter(t.Context(), chat.Plain{}, enginetest.Letters{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{Examiner{Set: TruthfulQA, Tokens: enginetest.Letters{Model: m}, Format: format, MaxTokens: 20}, e}
}

// items are questions with options, without, and one that is too long.
func items() []Item {
	asked := func(text string) []chat.Message { return []chat.Message{{Role: chat.User, Text: text}} }
	var out []Item
	for i := range 12 {
		it := Item{ID: fmt.Sprint(i), Messages: asked(fmt.Sprint("question ", i))}
		if i%3 > 0 {
			it.Options = []Option{{Text: "yes", Right: true}, {Text: fmt.Sprint("no ", i)}, {Text: "yet"}}
		}
		out = append(out, it)
	}
	return append(out, Item{ID: "long", Messages: asked(strings.Repeat("x", 300))})
}

// run puts items to the model. When n results are there it ends the context.
func (f *fixture) run(t *testing.T, parallel, n int) (map[string]Result, error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	all, i := items(), 0
	out := map[string]Result{}
	err := f.examiner.Run(ctx, f.engine, parallel, func() (Item, bool) {
		if i == len(all) {
			return Item{}, false
		}
		i++
		return all[i-1], true
	}, func(r Result) error {
		if _, ok := out[r.ID]; ok {
			t.Errorf("item %s has two results", r.ID)
		}
		if out[r.ID] = r; len(out) == n {
			cancel()
		}
		return nil
	})
	return out, err
}

// TestExaminer: each item has its result, whatever is alive beside it, and one that does not fit says so.
func TestExaminer(t *testing.T) {
	var first map[string]Result
	for _, parallel := range []int{1, 2, 5} {
		out, err := newFixture(t, parallel+1).run(t, parallel, -1)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = out
		}
		for _, it := range items() {
			r := out[it.ID]
			if fmt.Sprint(r) != fmt.Sprint(first[it.ID]) {
				t.Errorf("%d at once: item %s is %+v, alone %+v", parallel, it.ID, r, first[it.ID])
			}
			switch {
			case it.ID == "long":
				if !strings.Contains(r.Error, "one row may hold 200") {
					t.Errorf("%+v", r)
				}
			case it.Options == nil:
				if r.Answer == "" || r.LogProbs != nil || r.Error != "" {
					t.Errorf("item %s: %+v", it.ID, r)
				}
			default:
				if len(r.LogProbs) != 3 || r.Tokens[1] != len(" "+it.Options[1].Text) || r.Answer != "" {
					t.Errorf("item %s: %+v", it.ID, r)
				}
			}
		}
	}
}

// TestLogProbs: the log-probability of an option is the sum of those that its tokens have one after the other.
func TestLogProbs(t *testing.T) {
	f := newFixture(t, 4)
	it := items()[1]
	out, err := f.run(t, 3, -1)
	if err != nil {
		t.Fatal(err)
	}
	q, err := f.examiner.question(t.Context(), it)
	if err != nil {
		t.Fatal(err)
	}
	for i, option := range q.options {
		sum := 0.0
		for k, token := range option {
			prompt := append(append([]engine.Token{}, q.prompt...), option[:k]...)
			if err := f.engine.Score(&engine.Score{Tokens: prompt, Options: [][]engine.Token{{token}}, Done: func(s engine.Scores) { sum += s.LogProbs[0][0] }}); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.engine.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := out[it.ID].LogProbs[i]; math.Abs(got-sum) > 1e-9 {
			t.Errorf("option %d has log-probability %v, its tokens %v", i, got, sum)
		}
	}
}

// TestExaminerStops: what is under way when the context ends is finished, and nothing new begins.
func TestExaminerStops(t *testing.T) {
	out, err := newFixture(t, 4).run(t, 3, 2)
	if !errors.Is(err, context.Canceled) || len(out) < 2 || len(out) > 5 {
		t.Errorf("%d results, %v", len(out), err)
	}
	for id, r := range out {
		if r.Error != "" && id != "long" {
			t.Errorf("item %s: %s", id, r.Error)
		}
	}
}

// TestExaminerCannotSave: an error of saving ends the run.
func TestExaminerCannotSave(t *testing.T) {
	f, full := newFixture(t, 4), errors.New("disk full")
	n := 0
	err := f.examiner.Run(t.Context(), f.engine, 2, func() (Item, bool) { return items()[1], true }, func(Result) error { n++; return full })
	if !errors.Is(err, full) || n != 1 || !strings.Contains(err.Error(), "item 1") {
		t.Errorf("%v after %d results", err, n)
	}
}

// TestTranscript: as the field writes them.
func TestTranscript(t *testing.T) {
	msgs := []chat.Message{{Role: chat.User, Text: "Hi "}, {Role: chat.Assistant, Text: " Hello"}, {Role: chat.User, Text: "Why?"}}
	for set, want := range map[Set]string{
		HHH:        "\n\nHuman: Hi\n\nAssistant: Hello\n\nHuman: Why?\n\nAssistant:",
		TruthfulQA: "Q: Hi\nA: Hello\n\nQ: Why?\nA:",
	} {
		if got, err := transcript(set, msgs); err != nil || got != want {
			t.Errorf("%s: %q, %v", set, got, err)
		}
	}
}

// thinking is a layout whose prompts end inside a thought.
type thinking struct{ chat.Plain }

func (thinking) Think() chat.ThinkTags { return chat.ThinkTags{Open: "<think>", Close: "</think>"} }

func (l thinking) Frame(ctx context.Context, roles []chat.Role) (chat.Frame, error) {
	f, err := l.Plain.Frame(ctx, roles)
	f.Pieces[len(f.Pieces)-1] += "<think>\n"
	return f, err
}

// TestOptionsStandBehindThoughts: options are scored as answers, and what the model generates begins inside the thought.
func TestOptionsStandBehindThoughts(t *testing.T) {
	f := newFixture(t, 1)
	letters := f.examiner.Tokens.(enginetest.Letters)
	format, err := chat.NewFormatter(t.Context(), thinking{}, letters)
	if err != nil {
		t.Fatal(err)
	}
	f.examiner.Format, f.examiner.Tokens = format, nil
	for i, want := range []string{"<think>\n", "<think>\n\n</think>\n\n"} {
		q, err := f.examiner.question(t.Context(), items()[i])
		if err != nil {
			t.Fatal(err)
		}
		ids, err := letters.Tokenize(chat.AssistantMark+want, false, false)
		if err != nil || !slices.Equal(q.prompt[len(q.prompt)-len(ids):], ids) {
			t.Errorf("item %d: %v does not end with %v, %v", i, q.prompt, ids, err)
		}
	}
}
