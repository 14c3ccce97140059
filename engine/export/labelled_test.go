package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go"

	"amend/engine/chat"
	"amend/engine/feedback"
)

// labelled makes a pair with its label: the probability that the first is better, and in the other order that of after.
func labelled(id string, p, after float64) feedback.Labelled {
	mean := (p + after) / 2
	return feedback.Labelled{
		Pair: feedback.Pair{ID: id, Messages: []chat.Message{{Role: chat.User, Text: "Question " + id + "?"}}, First: "first " + id, Second: "second " + id},
		Label: feedback.Label{ID: id, P: &mean, Judgements: []feedback.Judgement{
			{Principle: "kind", P: p}, {Principle: "kind", P: after, Swapped: true},
		}},
	}
}

func writeLabelled(t *testing.T, o Options, all ...feedback.Labelled) (dir string, r *Report) {
	t.Helper()
	return writeDirected(t, o, feedback.Unknown, all...)
}

func writeDirected(t *testing.T, o Options, revision feedback.Preference, all ...feedback.Labelled) (dir string, r *Report) {
	t.Helper()
	o.Labels = true
	if o.Encoding == "" {
		o.Encoding = JSONL
	}
	o.ShardBytes = 1 << 20
	dir = filepath.Join(t.TempDir(), "set")
	r, err := Write(dir, Source{Name: "labels", Revision: revision, Labelled: func(yield func(feedback.Labelled, error) bool) {
		for _, l := range all {
			if !yield(l, nil) {
				return
			}
		}
	}}, o)
	if err != nil && !errors.Is(err, ErrEmpty) {
		t.Fatal(err)
	}
	return dir, r
}

// TestLabelled: chosen is what the judge prefers, with its probability; what it is not sure of, or changes its mind about, is
// left out where that is asked for.
func TestLabelled(t *testing.T) {
	none := feedback.Labelled{Pair: feedback.Pair{ID: "n", Messages: []chat.Message{{Role: chat.User, Text: "?"}}}}
	all := []feedback.Labelled{labelled("a", 0.9, 0.8), labelled("b", 0.1, 0.3), labelled("c", 0.55, 0.52), labelled("d", 0.9, 0.4), none}
	for _, tt := range []struct {
		name string
		o    Options
		want string
		left map[Reason]int
	}{
		{"all", Options{MaxFlip: 1}, "[a first 0.85 b second 0.80 c first 0.54 d first 0.65]", map[Reason]int{Unlabelled: 1}},
		{"sure ones", Options{MaxFlip: 1, MinMargin: 0.2}, "[a first 0.85 b second 0.80 d first 0.65]", map[Reason]int{Unlabelled: 1, SmallMargin: 1}},
		{"steady ones", Options{MaxFlip: 0.5}, "[a first 0.85 b second 0.80 c first 0.54]", map[Reason]int{Unlabelled: 1, Flipping: 1}},
	} {
		tt.o.Format = DPO
		dir, r := writeLabelled(t, tt.o, all...)
		if got := fmt.Sprint(chosen(t, dir)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		for _, why := range Reasons() {
			if r.LeftOut[why] != tt.left[why] {
				t.Errorf("%s: %d left out as %s, want %d", tt.name, r.LeftOut[why], why, tt.left[why])
			}
		}
	}
}

// TestLabelledLeavesOut: even odds prefer nothing, and an answer with a fault is not to be learnt; a margin of just what a clamp
// leaves is kept.
func TestLabelledLeavesOut(t *testing.T) {
	cut, even, blank, clamped := labelled("a", 0.9, 0.9), labelled("b", 0.8, 0.2), labelled("c", 0.9, 0.9), labelled("d", 0.6, 0.6)
	cut.Pair.Flagged[0], blank.Pair.First = true, " "
	dir, r := writeLabelled(t, Options{Format: DPO, MaxFlip: 1, MinMargin: 0.2, Hygiene: true}, cut, even, blank, clamped)
	if got := fmt.Sprint(chosen(t, dir)); got != "[d first 0.60]" || r.LeftOut[Flagged] != 2 || r.LeftOut[SmallMargin] != 1 {
		t.Errorf("%s, left out %v", got, r.LeftOut)
	}
	if _, r = writeLabelled(t, Options{Format: DPO, MaxFlip: 1}, even); r.LeftOut[SmallMargin] != 1 {
		t.Errorf("even odds, with any margin: left out %v", r.LeftOut)
	}
	if dir, _ = writeLabelled(t, Options{Format: DPO, MaxFlip: 1}, cut); fmt.Sprint(chosen(t, dir)) != "[a first 0.90]" {
		t.Errorf("without the checks: %v", chosen(t, dir))
	}
}

// chosen tells, of each row of a set, its id, which answer is chosen, and how probable.
func chosen(t *testing.T, dir string) (out []string) {
	t.Helper()
	for _, line := range read(t, dir, "train") {
		var row struct {
			ID               string
			Chosen, Rejected []chat.Message
			LabelProb        float64 `json:"label_prob"`
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		which, other := "first", "second"
		if row.Chosen[0].Text != which+" "+row.ID {
			which, other = other, which
		}
		if row.Chosen[0].Text != which+" "+row.ID || row.Rejected[0].Text != other+" "+row.ID {
			t.Errorf("%s", line)
		}
		out = append(out, fmt.Sprintf("%s %s %.2f", row.ID, which, row.LabelProb))
	}
	return out
}

// TestRepeated: a pair is there as often as asked for, in either direction in proportion to its label.
func TestRepeated(t *testing.T) {
	dir, _ := writeLabelled(t, Options{Format: DPO, MaxFlip: 1, Repeat: 5, NearDuplicates: 0.9}, labelled("a", 0.85, 0.75), labelled("b", 0.05, 0.05))
	want := []string{"a first 0.80", "a first 0.80", "a first 0.80", "a first 0.80", "a second 0.20", "b second 0.95", "b second 0.95", "b second 0.95", "b second 0.95", "b second 0.95"}
	if got := chosen(t, dir); !slices.Equal(got, want) {
		t.Errorf("%v\nwant\n%v", got, want)
	}
}

// TestLabelledSides: neither answer of a pair has a fault, repeated or not.
func TestLabelledSides(t *testing.T) {
	learnt, rejected, blank := labelled("a", 0.3, 0.3), labelled("b", 0.95, 0.95), labelled("c", 0.7, 0.7)
	learnt.Pair.Flagged[1], rejected.Pair.Flagged[1], blank.Pair.Second = true, true, "\n"
	for _, repeat := range []int{0, 5} {
		o := Options{Format: DPO, MaxFlip: 1, Hygiene: true, Repeat: repeat}
		if _, r := writeLabelled(t, o, learnt, rejected, blank); r.LeftOut[Flagged] != 1 || r.LeftOut[RejectedFlagged] != 2 {
			t.Errorf("left out %v", r.LeftOut)
		}
		o.Hygiene = false
		if dir, r := writeLabelled(t, o, learnt, rejected, blank); len(chosen(t, dir)) != 2*max(1, repeat) || r.LeftOut[RejectedFlagged] != 1 {
			t.Errorf("without the checks: %v, left out %v", chosen(t, dir), r.LeftOut)
		}
	}
}

// TestLabelledDirection: where one answer is the other's revision, the judge must prefer it.
func TestLabelledDirection(t *testing.T) {
	all := []feedback.Labelled{labelled("a", 0.9, 0.9), labelled("b", 0.2, 0.2), labelled("c", 0.5, 0.5)}
	for revision, want := range map[feedback.Preference]string{
		feedback.Unknown: "[a first 0.90 b second 0.80]", feedback.First: "[a first 0.90]", feedback.Second: "[b second 0.80]",
	} {
		dir, r := writeDirected(t, Options{Format: DPO, MaxFlip: 1}, revision, all...)
		if got := fmt.Sprint(chosen(t, dir)); got != want || r.LeftOut[SmallMargin] != 1 || r.LeftOut[Disagreeing] != 2-r.Taken {
			t.Errorf("the revision is %q: %s, left out %v", revision, got, r.LeftOut)
		}
	}
}

// TestLabelledAlike: answers that say the same are no pair, whatever the judge finds.
func TestLabelledAlike(t *testing.T) {
	l := labelled("a", 0.9, 0.9)
	l.Pair.First, l.Pair.Second = "I apologize, but I can't assist with that.", "I’m sorry, but I can’t assist with that."
	if _, r := writeLabelled(t, Options{Format: KTO, MaxFlip: 1}, l); r.LeftOut[BothDecline] != 1 {
		t.Errorf("left out %v", r.LeftOut)
	}
}

// TestLabelledParquet: the column is there in every format that has labels.
func TestLabelledParquet(t *testing.T) {
	type row struct {
		ID        string  `parquet:"id"`
		LabelProb float64 `parquet:"label_prob"`
	}
	for format, want := range map[Format]int{DPO: 1, KTO: 2, Reward: 1} {
		dir, _ := writeLabelled(t, Options{Format: format, MaxFlip: 1, Encoding: Parquet}, labelled("a", 0.9, 0.8))
		rows, err := parquet.ReadFile[row](filepath.Join(dir, "data", "train-00000-of-00001.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != want || rows[0].ID != "a" || rows[0].LabelProb < 0.849 || rows[0].LabelProb > 0.851 {
			t.Errorf("%s: %+v", format, rows)
		}
	}
	for _, o := range []Options{{Format: SFT, Labels: true}, {Format: DPO, MinMargin: 0.1}, {Format: DPO, Labels: true, MaxFlip: 2}} {
		o.Encoding, o.ShardBytes = JSONL, 1
		if o.Check() == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
