package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"amend/cmd/amend/internal/bench/peer"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/sample"
)

// fakeChat answers as llama-server's chat endpoint does. What it says is a hash
// of the whole conversation, and so is where it ends.
type fakeChat struct {
	seed maphash.Seed
	want peer.ChatRequest // except for messages and seed

	mu   sync.Mutex
	sent map[string]int // conversations, and how often each came
	last map[string]int // the last messages of these
	now  int            // requests under way
	most int
}

func newFakeChat(s revise.Settings) *fakeChat {
	want := peer.ChatRequest{MaxTokens: s.MaxTokens, TopK: 1, Samplers: []string{"top_k"}, CachePrompt: true}
	if s.Sampling.Temperature > 0 {
		want.Temperature, want.TopK, want.Samplers = s.Sampling.Temperature, 0, []string{"temperature"}
	}
	return &fakeChat{seed: maphash.MakeSeed(), want: want, sent: map[string]int{}, last: map[string]int{}}
}

func (f *fakeChat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c peer.ChatRequest
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || r.URL.Path != "/v1/chat/completions" {
		http.Error(w, fmt.Sprintf("path %s, error %v", r.URL.Path, err), http.StatusBadRequest)
		return
	}
	f.enter(c.Messages)
	defer f.leave()
	got := c
	got.Messages, got.Seed = nil, 0
	if fmt.Sprint(got) != fmt.Sprint(f.want) {
		http.Error(w, fmt.Sprintf("request %+v, not %+v", got, f.want), http.StatusBadRequest)
		return
	}
	text, n, finish := f.say(c.Messages)
	fmt.Fprintf(w, `{"choices":[{"message":{"role":"assistant","content":%q},"finish_reason":%q}],"timings":{"prompt_n":%d,"cache_n":2,"predicted_n":%d,"draft_n":3,"draft_n_accepted":1}}`,
		text, finish, len(c.Messages), n)
}

func (f *fakeChat) enter(messages []chat.Message) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[fmt.Sprint(messages)]++
	f.last[messages[len(messages)-1].Text]++
	f.now++
	f.most = max(f.most, f.now)
}

func (f *fakeChat) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now--
}

// say is what comes next in a conversation.
func (f *fakeChat) say(messages []chat.Message) (text string, tokens int, finish string) {
	h := maphash.String(f.seed, fmt.Sprint(messages))
	if n := int(h%3) + 1; n < f.want.MaxTokens {
		return fmt.Sprint("reply ", h), n, "stop"
	}
	return fmt.Sprint("reply ", h), f.want.MaxTokens, "length"
}

// expected are the conversations that rows are to send, spelled out: the
// demonstrations below a row's own system text, each reply and request below what
// was said, and each round from the prompt and the newest answer.
func (f *fakeChat) expected(c chatWork) (sent map[string]int, v Variant) {
	sent, v.TextCounts = map[string]int{}, &TextCounts{}
	turn := func(conversation []chat.Message) string {
		sent[fmt.Sprint(conversation)]++
		text, n, finish := f.say(conversation)
		v.Computed, v.Reused, v.Decoded, v.Turns = v.Computed+len(conversation), v.Reused+2, v.Decoded+n, v.Turns+1
		v.Drafted, v.Accepted = v.Drafted+3, v.Accepted+1
		if finish == "stop" {
			v.EndedByItself++
		}
		return text
	}
	for _, row := range c.rows {
		var base []chat.Message
		say := func(to []chat.Message, role chat.Role, text string) []chat.Message {
			return append(slices.Clone(to), chat.Message{Role: role, Text: text})
		}
		messages := row.Messages
		if messages[0].Role == chat.System {
			base, messages = say(base, chat.System, messages[0].Text), messages[1:]
		}
		for _, d := range c.doc.Demonstrations {
			base = say(say(base, chat.User, d.Prompt), chat.Assistant, d.Response)
			base = say(say(base, chat.User, d.CritiqueRequest), chat.Assistant, d.Critique)
			base = say(say(base, chat.User, d.RevisionRequest), chat.Assistant, d.Revision)
		}
		for _, m := range messages {
			base = say(base, m.Role, m.Text)
		}
		var draft string
		if row.Response != nil {
			draft = *row.Response
		} else {
			draft = turn(base)
		}
		for round := 1; round <= c.settings.Rounds; round++ {
			p, _ := c.doc.Draw(revise.RowSeed(c.settings.Seed, row.ID), round, row.Attributes)
			asked := say(say(base, chat.Assistant, draft), chat.User, p.CritiqueRequest)
			critique := turn(asked)
			draft = turn(say(say(asked, chat.Assistant, critique), chat.User, p.RevisionRequest))
			v.Critiques, v.Revisions = v.Critiques+1, v.Revisions+1
		}
	}
	return sent, v
}

// TestChatPeerHasTheConversations: every turn of every row is sent once, below
// all that was said before it, never more at once than was asked; and the sums
// are the server's.
func TestChatPeerHasTheConversations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := chatWork{doc: testDocument(t), rows: someRows(t), settings: revise.Settings{
			Rounds: rapid.IntRange(0, 3).Draw(t, "rounds"), MaxTokens: rapid.IntRange(1, 5).Draw(t, "max tokens"), Seed: 3,
			Sampling: sample.Params{Temperature: rapid.SampledFrom([]float64{0, 0.7}).Draw(t, "temperature")},
		}}
		concurrency := rapid.IntRange(1, 4).Draw(t, "concurrency")
		fake := newFakeChat(c.settings)
		server := httptest.NewServer(fake)
		defer server.Close()
		v, err := driveChatPeer(t.Context(), server.URL, "fake", c, concurrency)
		if err != nil {
			t.Fatal(err)
		}
		sent, want := fake.expected(c)
		if fmt.Sprint(fake.sent) != fmt.Sprint(sent) {
			t.Fatalf("sent\n%v\nnot\n%v", fake.sent, sent)
		}
		if fake.most > concurrency {
			t.Errorf("%d requests at once, not %d", fake.most, concurrency)
		}
		got := *v.TextCounts
		got.RevisionsPerS, got.CritiquesPer1k = 0, 0
		if got != *want.TextCounts || v.Name != "fake" || v.Rows != len(c.rows) || v.Decoded != want.Decoded || v.Computed != want.Computed || v.Reused != want.Reused {
			t.Errorf("%+v with %+v, not %+v with %+v", v, got, want, *want.TextCounts)
		}
	})
}

// TestChatPeerAsksWhatTheLoopAsks: the demonstrations are the loop's, and so are the
// requests of each round.
func TestChatPeerAsksWhatTheLoopAsks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, rows := testDocument(t), someRows(t)
		s := revise.Settings{Rounds: 3, Mode: revise.Faithful, MaxTokens: 4, Seed: rapid.Uint64().Draw(t, "seed")}
		l, format := newLoop(t, doc, s)
		shots := revise.Demonstrations(doc, "")
		prefix, err := format.Prefix(t.Context(), shots)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(prefix, l.Prefix()) {
			t.Fatalf("demonstrations %v, not the loop's", shots)
		}

		m := fakeModel(2, 900)
		e, err := engine.New(m, m, engine.Config{})
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]int{}
		err = l.Run(t.Context(), e, 1, revise.Rows(rows), func(r revise.Record) error {
			for _, turn := range r.Turns {
				if turn.Request != "" {
					asked[turn.Request]++
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fake := newFakeChat(s)
		server := httptest.NewServer(fake)
		defer server.Close()
		if _, err := driveChatPeer(t.Context(), server.URL, "fake", chatWork{doc: doc, rows: rows, settings: s}, 2); err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for request := range asked {
			got[request] = fake.last[request]
		}
		if fmt.Sprint(got) != fmt.Sprint(asked) {
			t.Fatalf("asked the server %v, the loop asks %v", got, asked)
		}
	})
}

// TestChatPeerErrors: what can go wrong is said with the row, the turn and the
// server's words.
func TestChatPeerErrors(t *testing.T) {
	c := chatWork{
		doc: testDocument(t), settings: revise.Settings{Rounds: 1, MaxTokens: 4},
		rows: []revise.Row{{ID: "tide", Messages: []chat.Message{{Role: chat.User, Text: "Why?"}}}},
	}
	answer := func(finish string, predicted int) string {
		return fmt.Sprintf(`{"choices":[{"message":{"content":"x"},"finish_reason":%q}],"timings":{"prompt_n":3,"predicted_n":%d}}`, finish, predicted)
	}
	for name, x := range map[string]struct {
		status       int
		first, later string // answers to the first turn and those after
		want         []string
	}{
		"cut too early":      {200, answer("length", 3), "", []string{"response of round 0", "up to 4", "counted 3"}},
		"too much":           {200, answer("stop", 5), "", []string{"up to 4", "counted 5"}},
		"a later turn":       {200, answer("stop", 2), answer("length", 1), []string{"critique of round 1"}},
		"no answer":          {200, `{"choices":[],"timings":{"predicted_n":2}}`, "", []string{"0 answers"}},
		"no counts":          {200, `{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}`, "", []string{"counted 0"}},
		"an error":           {500, `{"error":{"message":"exceeds the available context size"}}`, "", []string{"exceeds the available context size"}},
		"another place":      {307, "", "", []string{"307"}},
		"something else":     {200, "<html>", "", []string{"<html>"}},
		"a text that is cut": {200, `{"choices":[`, "", []string{"response of round 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			turns := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(x.status)
				body := x.first
				if turns > 0 {
					body = x.later
				}
				turns++
				fmt.Fprint(w, body)
			}))
			defer server.Close()
			_, err := driveChatPeer(t.Context(), server.URL, "fake", c, 1)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(x.want, "fake", "row tide") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
	for _, address := range []string{"localhost:8080", "ftp://localhost", "http://", ":"} {
		if _, err := driveChatPeer(t.Context(), address, "fake", c, 1); err == nil {
			t.Errorf("address %q was taken", address)
		}
	}
	if _, err := driveChatPeer(t.Context(), "http://localhost:1", "fake", c, 0); err == nil {
		t.Error("no requests at once were taken")
	}
}

// TestEachRow: every row is taken once, by workers that are there; a failure
// stops the others and is what is returned.
func TestEachRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, workers := rapid.IntRange(0, 20).Draw(t, "rows"), rapid.IntRange(1, 5).Draw(t, "workers")
		bad := rapid.IntRange(-1, rows-1).Draw(t, "bad")
		broken := errors.New("broken")
		var mu sync.Mutex
		taken := make([]int, rows)
		err := eachRow(t.Context(), rows, workers, func(_ context.Context, worker, row int) error {
			mu.Lock()
			defer mu.Unlock()
			if worker < 0 || worker >= workers {
				t.Errorf("worker %d of %d", worker, workers)
			}
			taken[row]++
			if row == bad {
				return broken
			}
			return nil
		})
		for row, n := range taken {
			if n > 1 || (n == 0 && (bad < 0 || row <= bad)) {
				t.Fatalf("row %d was taken %d times", row, n)
			}
		}
		if (bad >= 0) != errors.Is(err, broken) || (bad < 0 && err != nil) {
			t.Fatalf("error %v, row %d fails", err, bad)
		}
	})
}
