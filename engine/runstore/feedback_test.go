package runstore

import (
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"amend/engine/chat"
	"amend/engine/feedback"
)

func pairOf(id string, index int) feedback.Pair {
	return feedback.Pair{ID: id, Index: index, Messages: []chat.Message{{Role: chat.User, Text: "why?"}}, First: "one " + id, Second: "<other>", Better: feedback.Second}
}

func labelOf(p feedback.Pair, prob float64) feedback.Label {
	return feedback.Label{ID: p.ID, Index: p.Index, Pair: p.Hash(), P: &prob, Judgements: []feedback.Judgement{{Principle: "kind", LogProbs: [2]float64{-1, -2.5}, Mass: 0.45, P: prob}}}
}

func openFeedback(t *testing.T, dir string, s FeedbackSettings) *Feedback {
	t.Helper()
	f, err := OpenFeedback(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestFeedbackIsKept: answers and labels are there after reopening; other settings begin a set, and know the one before.
func TestFeedbackIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "labels")
	f := openFeedback(t, dir, FeedbackSettings{Constitution: "a"})
	p, q := pairOf("p", 1), pairOf("q", 0)
	key := feedback.Key{1, 2}
	answer := feedback.Answer{LogProbs: [2]float64{-0.5, -1e-9}, Text: "because \xff", Prompt: 7, Reused: 3, Decoded: 2}
	if err := errors.Join(f.Put(key, answer), f.Append(p, labelOf(p, 0.25), 3), f.Append(q, labelOf(q, 0.75), 3), f.Append(p, labelOf(p, 0.3), 2)); err != nil {
		t.Fatal(err)
	}
	if _, before, err := f.Before(); err != nil || len(before) != 0 {
		t.Errorf("before the first settings: %v, %v", before, err)
	}
	if _, err := OpenFeedback(dir, FeedbackSettings{}); !errors.As(err, new(*LockedError)) {
		t.Errorf("a second writer: %v", err)
	}
	f.Close()

	f = openFeedback(t, dir, FeedbackSettings{Constitution: "a"})
	if got, ok, err := f.Get(key); err != nil || !ok || got != answer {
		t.Errorf("%+v, %v, %v", got, ok, err)
	}
	if l, ok := f.Label(p); !ok || *l.P != 0.3 || !reflect.DeepEqual(l, labelOf(p, 0.3)) {
		t.Errorf("%+v, %v", l, ok)
	}
	changed := p
	changed.First = "another text"
	if _, ok := f.Label(changed); ok {
		t.Error("the label of other texts is taken for that of these")
	}
	f.Close()

	f = openFeedback(t, dir, FeedbackSettings{Constitution: "b"})
	if _, ok := f.Label(p); ok {
		t.Error("a label of other settings")
	}
	if old, before, err := f.Before(); err != nil || old.Constitution != "a" || len(before) != 2 || *before["p"].P != 0.3 {
		t.Errorf("the settings before: %+v, %v, %v", old, before, err)
	}
	if _, ok, _ := f.Get(key); !ok {
		t.Error("other settings have lost the answers")
	}
	// A set begins with its first label: settings that were only tried hide nothing.
	if set, err := ReadFeedback(dir); err != nil || set.Settings.Constitution != "a" || set.Asked != 3 || set.Done != 2 {
		t.Errorf("before the first label by new settings: %+v, %v", set, err)
	}
	failed := feedback.Label{ID: "p", Pair: p.Hash(), Error: "too long"}
	if err := errors.Join(f.Append(q, labelOf(q, 0.9), 2), f.Append(p, failed, 2)); err != nil {
		t.Fatal(err)
	}
	if _, ok := f.Label(p); ok {
		t.Error("a pair that could not be judged is not tried again")
	}
	if old, before, err := f.Before(); err != nil || old.Constitution != "a" || len(before) != 2 {
		t.Errorf("the settings before, from within a set: %+v, %v, %v", old, before, err)
	}
	set, err := ReadFeedback(dir)
	if err != nil || set.Settings.Constitution != "b" || set.Asked != 2 {
		t.Fatalf("%+v, %v", set, err)
	}
	var got []feedback.Labelled
	for l, err := range set.Labels {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	if want := []feedback.Labelled{{Pair: q, Label: labelOf(q, 0.9)}, {Pair: p, Label: failed}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// TestFeedbackOfARun: labels lie in a run's directory, and not among other files.
func TestFeedbackOfARun(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	if _, err := OpenFeedback(dir, FeedbackSettings{}); !errors.As(err, new(*LockedError)) {
		t.Errorf("while the run is written: %v", err)
	}
	add(t, r, record(0))
	r.Close()
	openFeedback(t, dir, FeedbackSettings{}).Close()
	if again, _ := open(t, dir, manifest()); !again.Done("row-0") {
		t.Error("the run lost its row")
	}
	if _, err := ReadFeedback(t.TempDir()); !errors.Is(err, ErrNotARun) {
		t.Errorf("no labels: %v", err)
	}
	foreign := t.TempDir()
	if err := writeWhole(filepath.Join(foreign, "letter.txt"), []byte("dear")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFeedback(foreign, FeedbackSettings{}); !errors.Is(err, ErrNotARun) {
		t.Errorf("among other files: %v", err)
	}
}
