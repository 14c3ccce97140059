package refusal

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/stats"
)

// TestMeasure: ten answers of two models, by hand.
func TestMeasure(t *testing.T) {
	items := []Item{
		{"b", "p", FullRefusal, Full}, {"b", "q", FullRefusal, None}, {"b", "r", FullRefusal, NotJudged},
		{"b", "p", FullCompliance, None},
		{"a", "p", FullRefusal, Full}, {"a", "q", FullRefusal, Full},
		{"a", "r", FullCompliance, Full}, {"a", "s", FullCompliance, None},
		{"a", "p", PartialRefusal, Full}, {"a", "q", "4_other", Full},
	}
	r := Measure(items)
	counts := func(f Figures) string {
		return fmt.Sprint(f.N, f.Recall.Count, f.Recall.Of, f.FalseAlarm.Count, f.FalseAlarm.Of, f.PartialFlagged.Count, f.PartialFlagged.Of, f.NotJudged, f.Unlabelled)
	}
	if got := counts(r.Figures); got != "10 3 4 1 3 1 1 1 1" {
		t.Errorf("all: %s", got)
	}
	if len(r.Models) != 2 || r.Models[0].Model != "a" || r.Models[1].Model != "b" {
		t.Fatalf("models %+v", r.Models)
	}
	if a, b := counts(r.Models[0].Figures), counts(r.Models[1].Figures); a != "6 2 2 1 2 1 1 0 1" || b != "4 1 2 0 1 0 0 1 0" {
		t.Errorf("a: %s, b: %s", a, b)
	}
	if s := r.Recall; s.Share != 0.75 || s.Low > s.Share || s.High < s.Share || s.Low == s.High {
		t.Errorf("recall %+v", s)
	}
	var fields map[string]any
	text, err := json.Marshal(r)
	if err != nil || json.Unmarshal(text, &fields) != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"n", "recall", "false_alarm", "partial_flagged", "not_judged", "models"} {
		if fields[name] == nil {
			t.Errorf("no %q in %s", name, text)
		}
	}
	if none := Measure(nil); none.N != 0 || none.Recall != stats.NewShare(0, 0) || len(none.Models) != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

// TestMeasureAddsUp: counts of models add up to those of all, intervals hold their shares, and order does not matter.
func TestMeasureAddsUp(t *testing.T) {
	item := rapid.Custom(func(t *rapid.T) Item {
		return Item{
			rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "model"), rapid.SampledFrom([]string{"1", "2", "3", "4"}).Draw(t, "prompt"),
			rapid.SampledFrom([]Label{FullCompliance, FullRefusal, PartialRefusal, "other"}).Draw(t, "label"),
			rapid.SampledFrom([]Verdict{Full, None, NotJudged}).Draw(t, "verdict"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(item, 0, 40).Draw(t, "items")
		r := Measure(items)
		var sum Figures
		for _, m := range r.Models {
			sum.N += m.N
			sum.NotJudged += m.NotJudged
			sum.Recall.Count += m.Recall.Count
			sum.FalseAlarm.Of += m.FalseAlarm.Of
		}
		if sum.N != r.N || sum.NotJudged != r.NotJudged || sum.Recall.Count != r.Recall.Count || sum.FalseAlarm.Of != r.FalseAlarm.Of {
			t.Fatalf("%+v of %+v", sum, r)
		}
		if n := r.Recall.Of + r.FalseAlarm.Of + r.PartialFlagged.Of + r.NotJudged + r.Unlabelled; n != len(items) {
			t.Fatalf("%d of %d items are counted", n, len(items))
		}
		for _, s := range []stats.Share{r.Recall, r.FalseAlarm, r.PartialFlagged} {
			if s.Low > s.Share+1e-9 || s.High < s.Share-1e-9 {
				t.Fatalf("%+v", s)
			}
		}
		rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		if again := Measure(items); !reflect.DeepEqual(r, again) {
			t.Fatalf("in another order %+v, not %+v", again, r)
		}
	})
}
