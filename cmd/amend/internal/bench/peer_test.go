package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"amend/cmd/amend/internal/bench/peer"
	"amend/cmd/amend/internal/worker"
	"amend/cmd/amend/internal/workload"
)

// fakeServer answers as llama-server does. What it generates is a hash of all
// that stands before, so a client that sends anything but the outputs it was
// given gets other tokens from then on. Each slot holds what it computed last.
type fakeServer struct {
	seed maphash.Seed

	mu    sync.Mutex
	slots []slot
	order []string // the prompts, as they came
}

type slot struct {
	busy bool
	held []workload.Token
}

func newFake(slots int) *fakeServer {
	return &fakeServer{seed: maphash.MakeSeed(), slots: make([]slot, slots)}
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c peer.CompletionRequest
	if err := json.NewDecoder(r.Body).Decode(&c); err != nil || r.URL.Path != "/completion" || !c.IgnoreEOS || !c.ReturnTokens || c.Stream {
		http.Error(w, fmt.Sprintf("path %s, request %+v, error %v", r.URL.Path, c, err), http.StatusBadRequest)
		return
	}
	i, reused := f.take(&c)
	if i < 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"error":{"code":503,"message":"more requests at once than slots"}}`)
		return
	}
	out := generate(f.seed, c.Prompt, c.NPredict)
	f.release(i, slices.Concat(c.Prompt, out[:len(out)-1]))
	json.NewEncoder(w).Encode(peer.Completion{Tokens: out, Timings: peer.Timings{Computed: len(c.Prompt) - reused, Reused: reused, Predicted: len(out)}})
}

// take finds the free slot with the longest prefix of the prompt; the prompt's
// last token is always computed.
func (f *fakeServer) take(c *peer.CompletionRequest) (slot, reused int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.order = append(f.order, fmt.Sprint(c.Prompt, c.NPredict))
	best, at := -1, -1
	for i, s := range f.slots {
		if n := common(s.held, c.Prompt); !s.busy && n > best {
			best, at = n, i
		}
	}
	if at < 0 {
		return -1, 0
	}
	f.slots[at].busy = true
	if !c.CachePrompt {
		best = 0
	}
	return at, min(best, len(c.Prompt)-1)
}

func (f *fakeServer) release(slot int, held []workload.Token) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slots[slot].busy, f.slots[slot].held = false, held
}

func common(a, b []workload.Token) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func generate(seed maphash.Seed, prompt []workload.Token, n int) []workload.Token {
	var out []workload.Token
	for range n {
		h := maphash.String(seed, fmt.Sprint(prompt, out))
		out = append(out, workload.Token(h%40000))
	}
	return out
}

// rows are the prompts that a workload is made of on this fake, each with its row.
func (f *fakeServer) rows(w *workload.Workload) map[string]int {
	prompts := map[string]int{}
	for i := range w.Rows {
		r := &w.Rows[i]
		outputs := make([][]workload.Token, len(r.Turns))
		for t, turn := range r.Turns {
			prompt := r.Prompt(t, outputs)
			outputs[t] = generate(f.seed, prompt, turn.Decode)
			prompts[fmt.Sprint(prompt, turn.Decode)] = i
		}
	}
	return prompts
}

// small draws a workload of few tokens.
func small(t *rapid.T) *workload.Workload {
	n := func(name string) int { return rapid.IntRange(1, 6).Draw(t, name) }
	l := workload.Lengths{
		Rows: n("rows"), Preamble: rapid.IntRange(0, 9).Draw(t, "preamble"), Prompt: n("prompt"), Response: n("response"),
		Rounds: rapid.IntRange(0, 2).Draw(t, "rounds"), Principles: n("principles"), CritiqueRequest: n("critique request"),
		Critique: n("critique"), RevisionRequest: n("revision request"), Revision: n("revision"), Option: n("option"), Principle: n("principle"),
	}
	kind := rapid.SampledFrom([][2]string{
		{"loop", "append"}, {"loop", "faithful"}, {"fanout", ""}, {"feedback", "options-first"}, {"feedback", "principle-first"},
	}).Draw(t, "kind")
	w, err := workload.New(kind[0], kind[1], l, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestPeerSendsTheWorkload: every turn is sent once, with the very outputs that
// the server gave before, never more at once than was asked, and the sums are
// the server's.
func TestPeerSendsTheWorkload(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := small(t)
		concurrency := rapid.IntRange(1, 5).Draw(t, "concurrency")
		cache := rapid.Bool().Draw(t, "cache")
		fake := newFake(concurrency)
		server := httptest.NewServer(fake)
		defer server.Close()
		v, err := drivePeer(t.Context(), server.URL, "fake", w, concurrency, cache)
		if err != nil {
			t.Fatal(err)
		}
		if want, got := slices.Sorted(maps.Keys(fake.rows(w))), slices.Compact(slices.Sorted(slices.Values(fake.order))); !slices.Equal(got, want) {
			t.Fatalf("these prompts were sent:\n%v\nthe workload has:\n%v", got, want)
		}
		c := w.Count()
		if len(fake.order) != c.Turns {
			t.Fatalf("%d requests for %d turns", len(fake.order), c.Turns)
		}
		if v.Name != "fake" || v.Rows != len(w.Rows) || v.Decoded != c.Decoded || v.Computed+v.Reused != c.PromptTokens {
			t.Fatalf("%+v of a workload of %+v", v, c)
		}
		if !cache && v.Reused != 0 {
			t.Fatalf("%d tokens reused without a cache", v.Reused)
		}
	})
}

// TestPeerFinishesRows: a worker runs its row's turns to the end before it takes
// another, so a server with one slot computes each token once, and there are
// never more rows under way than workers.
func TestPeerFinishesRows(t *testing.T) {
	l := workload.Lengths{Rows: 9, Preamble: 20, Prompt: 4, Response: 5, Rounds: 2, CritiqueRequest: 3, Critique: 4, RevisionRequest: 2, Revision: 5}
	w, err := workload.New("loop", "append", l, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 3, 9} {
		fake := newFake(workers)
		server := httptest.NewServer(fake)
		v, err := drivePeer(t.Context(), server.URL, "fake", w, workers, true)
		server.Close()
		if err != nil {
			t.Fatal(err)
		}
		if want := w.Count().Distinct; workers == 1 && v.Computed != want {
			t.Errorf("one slot computed %d tokens, not %d", v.Computed, want)
		}
		if n := mostUnderWay(fake.order, fake.rows(w)); n > workers {
			t.Errorf("%d workers had %d rows under way", workers, n)
		}
	}
}

// mostUnderWay is the most rows that were begun and not ended at one time.
func mostUnderWay(order []string, rowOf map[string]int) int {
	left := map[int]int{}
	for _, p := range order {
		left[rowOf[p]]++
	}
	under, most := map[int]bool{}, 0
	for _, p := range order {
		row := rowOf[p]
		under[row] = true
		most = max(most, len(under))
		if left[row]--; left[row] == 0 {
			delete(under, row)
		}
	}
	return most
}

// TestPeerRunsRowsTogether: a server that answers only when all workers have
// asked gets them all.
func TestPeerRunsRowsTogether(t *testing.T) {
	const workers = 4
	w, err := workload.New("loop", "", workload.Lengths{Rows: workers, Prompt: 2, Response: 2}, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	fake := newFake(workers)
	var all sync.WaitGroup
	all.Add(workers)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.Done()
		all.Wait()
		fake.ServeHTTP(w, r)
	}))
	defer server.Close()
	if _, err := drivePeer(t.Context(), server.URL, "fake", w, workers, true); err != nil {
		t.Fatal(err)
	}
}

// TestPeerErrors: what can go wrong is said with the row, the turn and the
// server's words, and stops the run.
func TestPeerErrors(t *testing.T) {
	w, err := workload.New("loop", "", workload.Lengths{Rows: 1, Prompt: 2, Response: 3, Rounds: 1, CritiqueRequest: 1, Critique: 2, RevisionRequest: 1, Revision: 2}, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(tokens string, prompt, reused, predicted int) string {
		return fmt.Sprintf(`{"tokens":[%s],"timings":{"prompt_n":%d,"cache_n":%d,"predicted_n":%d}}`, tokens, prompt, reused, predicted)
	}
	for name, c := range map[string]struct {
		status       int
		first, later string // answers to the first turn and those after
		want         []string
	}{
		"too few tokens":      {200, answer("1,2", 2, 0, 2), "", []string{"row 0, turn 0", "asked for 3", "gave 2"}},
		"another prompt":      {200, answer("1,2,3", 2, 1, 3), "", []string{"row 0, turn 0", "prompt of 2", "counted 3"}},
		"a later turn":        {200, answer("1,2,3", 2, 0, 3), answer("1", 1, 5, 1), []string{"row 0, turn 1", "asked for 2", "gave 1"}},
		"an error":            {400, `{"error":{"code":400,"message":"exceeds the available context size","type":"x"}}`, "", []string{"row 0, turn 0", "exceeds the available context size", "400"}},
		"an error in words":   {502, "bad gateway", "", []string{"502", "bad gateway"}},
		"something else":      {200, "<html>", "", []string{"<html>", "turn 0"}},
		"another place":       {307, "", "", []string{"307"}},
		"an answer cut short": {200, `{"tokens":[1,`, "", []string{"row 0, turn 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			turns := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				body := c.first
				if turns > 0 {
					body = c.later
				}
				turns++
				fmt.Fprint(w, body)
			}))
			defer server.Close()
			_, err := drivePeer(t.Context(), server.URL, "fake", w, 1, true)
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range append(c.want, "fake") {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q is not in the error: %v", part, err)
				}
			}
		})
	}
}

func TestPeerRefusesItsArguments(t *testing.T) {
	w, err := workload.New("loop", "", workload.Lengths{Rows: 1, Prompt: 1, Response: 1}, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"localhost:8080", "ftp://localhost", "http://", ":"} {
		if _, err := drivePeer(t.Context(), address, "fake", w, 1, true); err == nil {
			t.Errorf("address %q was taken", address)
		}
	}
	if _, err := drivePeer(t.Context(), "http://localhost:1", "fake", w, 0, true); err == nil {
		t.Error("no requests at once were taken")
	}
}

// TestPeerStops: a run that a signal cancels returns with the reason, though the
// server never answers.
func TestPeerStops(t *testing.T) {
	w, err := workload.New("loop", "", workload.Lengths{Rows: 8, Prompt: 1, Response: 1}, 49152, 3)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil { // or the server does not see the client go
			t.Error(err)
		}
		cancel(worker.Signal{Signal: os.Interrupt})
		<-r.Context().Done()
	}))
	defer server.Close()
	if _, err := drivePeer(ctx, server.URL, "fake", w, 2, true); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
}
