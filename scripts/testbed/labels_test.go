package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// labelledRun writes labels of 200 pairs, two a prompt, that prefer what is better where they are right.
func labelledRun(t *testing.T, w *testbed.World, right bool, seed uint64) string {
	t.Helper()
	dir := t.TempDir()
	f, err := runstore.OpenFeedback(dir, runstore.FeedbackSettings{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range 100 {
		prompt := w.DrawPrompt(r, true)
		for k := range 2 {
			p := feedback.Pair{
				ID: fmt.Sprint(i, "-", k), Messages: []chat.Message{{Role: chat.User, Text: prompt.Text}},
				First: w.DrawResponse(r, prompt).Text, Second: w.DrawResponse(r, prompt).Text,
			}
			prob := 0.2
			if (oracle.Preference(w, p, "") == feedback.First) == right {
				prob = 0.8
			}
			l := feedback.Label{ID: p.ID, Pair: p.Hash(), P: &prob, Judgements: []feedback.Judgement{
				{Principle: "wise", P: prob, Mass: 1}, {Principle: "wise", Swapped: true, P: prob, Mass: 1},
			}}
			if err := f.Append(p, l, 200); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func readRewards(t *testing.T, path string) (rows []rewardRow) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for dec := json.NewDecoder(f); ; {
		var row rewardRow
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			return rows
		} else if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
}

// TestRewards: no prompt is both trained on and held out, what is trained on is what labels say, and what is known is what is true.
func TestRewards(t *testing.T) {
	w, out := testbed.New(), t.TempDir()
	if err := writeRewards(w, labelledRun(t, w, false, 1), out, 0.3); err != nil {
		t.Fatal(err)
	}
	train, known := readRewards(t, filepath.Join(out, "train.jsonl")), readRewards(t, filepath.Join(out, "known.jsonl"))
	if len(train) < 120 || len(known) < 20 {
		t.Fatalf("%d rows to train on, %d known", len(train), len(known))
	}
	prompts := map[string]bool{}
	chosen := func(r rewardRow) feedback.Preference {
		prompt, n := r.Chosen[0], len(r.Chosen)-1
		prompts[prompt.Content] = true
		return oracle.Preference(w, feedback.Pair{
			Messages: []chat.Message{{Role: prompt.Role, Text: prompt.Content}}, First: r.Chosen[n].Content, Second: r.Rejected[n].Content,
		}, "")
	}
	for _, r := range train {
		if chosen(r) == feedback.First {
			t.Fatalf("%s: labels are wrong here, and this one is not", r.ID)
		}
	}
	of := len(prompts)
	for _, r := range known {
		if chosen(r) != feedback.First {
			t.Fatalf("%s: what is chosen is not better", r.ID)
		}
	}
	held := map[string]bool{}
	for _, r := range known {
		held[r.Chosen[0].Content] = true
	}
	if len(prompts) != of+len(held) {
		t.Errorf("%d prompts are trained on, %d held out, %d all together", of, len(held), len(prompts))
	}
}

// TestLabels: runs are told apart, though their pairs have the same ids, and together they are all pairs.
func TestLabels(t *testing.T) {
	w := testbed.New()
	good, bad := labelledRun(t, w, true, 1), labelledRun(t, w, false, 2)
	var out bytes.Buffer
	if err := writeLabels(&out, w, []string{good, bad}); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")[2:]
	if len(rows) != 3 || !strings.Contains(rows[0], "| 100.0 (") || !strings.Contains(rows[1], "| 0.0 (") || !strings.Contains(rows[2], "| all | 400 |") {
		t.Fatalf("%s", out.String())
	}
	decided := func(row string) (n int) {
		if _, err := fmt.Sscan(strings.Split(row, "|")[3], &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	right := fmt.Sprintf("| %.1f (", 100*float64(decided(rows[0]))/float64(decided(rows[2])))
	if decided(rows[0])+decided(rows[1]) != decided(rows[2]) || !strings.Contains(rows[2], right) {
		t.Errorf("%s", out.String())
	}
}

// TestJudges: ways to judge are compared pair by pair, seed by seed.
func TestJudges(t *testing.T) {
	w := testbed.New()
	good, bad, other := labelledRun(t, w, true, 1), labelledRun(t, w, false, 1), labelledRun(t, w, true, 2)
	var out bytes.Buffer
	if err := writeJudges(&out, w, []string{good + "," + other, bad + "," + other}); err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out.String()), "\n")[2:]
	if len(rows) != 2 || !strings.Contains(rows[0], "| 100.0 (100.0 to 100.0) |  | 100.0 |") {
		t.Fatalf("%s", out.String())
	}
	var right, more float64
	cells := strings.Split(rows[1], "|")
	if _, err := fmt.Sscan(cells[3], &right); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(cells[4], &more); err != nil || right-100 < more-0.11 || right-100 > more+0.11 || right < 30 || right > 70 {
		t.Errorf("one of two seeds is wrong throughout: %s", rows[1])
	}
	if err := writeJudges(&out, w, []string{good, other}); err == nil {
		t.Error("other pairs were compared")
	}
}
