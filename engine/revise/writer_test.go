package revise

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
)

// scribe is a Writer that is no engine: it reads messages and writes texts, and knows no tokens.
type scribe struct {
	waiting []*engine.Request
	asked   [][]chat.Message
	gone    error // what Run ends with
}

func (s *scribe) Submit(r *engine.Request) error {
	s.waiting = append(s.waiting, r)
	return nil
}

func (s *scribe) Run(context.Context) error {
	for len(s.waiting) > 0 {
		r := s.waiting[0]
		s.waiting = s.waiting[1:]
		if s.gone != nil {
			r.Done(engine.Result{Err: errors.Join(engine.ErrStopped, s.gone)})
			continue
		}
		said := chat.Messages{}.Read(r.Tokens)
		s.asked = append(s.asked, said)
		r.Done(engine.Result{Text: "<think>hm</think>\n\nOn " + said[len(said)-1].Text, End: engine.EndToken, Decoded: 3})
	}
	return s.gone
}

// messagesLoop is a loop whose conversations are messages.
func messagesLoop(t *testing.T, s Settings) *Loop {
	t.Helper()
	doc, err := constitution.Parse("test.yaml", []byte(testDocument))
	if err != nil {
		t.Fatal(err)
	}
	f, err := chat.NewFormatter(t.Context(), chat.Messages{}, chat.Messages{})
	if err != nil {
		t.Fatal(err)
	}
	s.Think = chat.Messages{}.Think()
	l, err := New(t.Context(), f, doc, s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestOtherWriter: what is no engine writes turns as well. It is asked by messages, demonstrations among them, without thoughts,
// and what it has written is not asked for again.
func TestOtherWriter(t *testing.T) {
	s := testSettings
	s.Rounds, s.Demonstrations, s.System = 1, BeforeCritique, "Be brief."
	l, w, m := messagesLoop(t, s), &scribe{}, newShelf()
	l.Use(m, "a server")
	given := "An egg."
	row := Row{ID: "row", Messages: []chat.Message{{Role: chat.User, Text: "What is it?"}}, Response: &given}
	run := func() (out Record) {
		t.Helper()
		if err := l.Run(t.Context(), w, 1, Rows([]Row{row}), func(r Record) error { out = r; return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	rec := run()
	if rec.Error != "" || len(rec.Turns) != 3 {
		t.Fatalf("%+v", rec)
	}
	if turn := rec.Turns[1]; turn.Text != "On "+turn.Request || turn.Think != "hm" {
		t.Errorf("the critique is %+v", turn)
	}
	if len(w.asked) != 2 {
		t.Fatalf("asked %d times", len(w.asked))
	}
	want := []chat.Message{
		{Role: chat.System, Text: "Be brief."}, {Role: chat.User, Text: "p one"}, {Role: chat.Assistant, Text: "r one"}, {Role: chat.User, Text: "Is it kind?"},
		{Role: chat.Assistant, Text: "c one"}, {Role: chat.User, Text: "Make it kind."}, {Role: chat.Assistant, Text: "v one"},
		{Role: chat.User, Text: "What is it?"}, {Role: chat.Assistant, Text: given}, {Role: chat.User, Text: rec.Turns[1].Request},
		{Role: chat.Assistant, Text: rec.Turns[1].Text}, {Role: chat.User, Text: rec.Turns[2].Request},
	}
	same := func(a, b chat.Message) bool { return a.Role == b.Role && a.Text == b.Text }
	if !slices.EqualFunc(w.asked[1], want, same) || !slices.EqualFunc(w.asked[0], want[:len(want)-2], same) {
		t.Errorf("asked\n%q\nthen\n%q\nwant\n%q", w.asked[0], w.asked[1], want)
	}
	if again := run(); len(w.asked) != 2 || !slices.Equal(texts(again), texts(rec)) {
		t.Errorf("asked %d times, %q", len(w.asked), texts(again))
	}
}

// TestWriterIsGone: rows that are under way have not failed, and the reason comes back.
func TestWriterIsGone(t *testing.T) {
	gone := errors.New("nobody there")
	err := messagesLoop(t, testSettings).Run(t.Context(), &scribe{gone: gone}, 2, Rows(inputs(3)), func(r Record) error {
		t.Errorf("row %s ended: %s", r.ID, r.Error)
		return nil
	})
	if !errors.Is(err, gone) {
		t.Error(err)
	}
}

// TestJudgesNeedAnEngine: what needs log-probabilities is not left out silently.
func TestJudgesNeedAnEngine(t *testing.T) {
	w := newWorldOf(t, gateDocument, testSettings, &Gate{}, 2, false)
	err := w.loop.Run(t.Context(), &scribe{}, 1, Rows(inputs(1)), func(Record) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "need log-probabilities of an engine") {
		t.Error(err)
	}
}

// TestHolds: a turn that was cut, or whose length nobody counted, is the same under its own limit alone. One that ended by
// itself is the same under every limit that has room for it, and under its own however the tokens were counted.
func TestHolds(t *testing.T) {
	for _, c := range []struct {
		turn  TurnResult
		limit int
		holds bool
	}{
		{TurnResult{End: engine.EndToken, Decoded: 5, Limit: 8}, 5, true},
		{TurnResult{End: engine.EndToken, Decoded: 5, Limit: 8}, 4, false},
		{TurnResult{End: engine.EndToken, Decoded: 9, Limit: 8}, 8, true},
		{TurnResult{End: engine.EndToken, Decoded: 9, Limit: 8}, 7, false},
		{TurnResult{End: engine.EndToken, Limit: 8}, 8, true},
		{TurnResult{End: engine.EndToken, Limit: 8}, 9, false},
		{TurnResult{End: engine.EndLength, Decoded: 8, Limit: 8}, 9, false},
		{TurnResult{End: engine.EndLength, Decoded: 8, Limit: 8}, 8, true},
	} {
		if got := c.turn.Holds(c.limit); got != c.holds {
			t.Errorf("%+v under %d: %v", c.turn, c.limit, got)
		}
	}
}
