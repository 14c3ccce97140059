package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/enginetest/need"
	"amend/engine/refusal"
)

// readData reads all data, or skips where there is none.
func readData(t *testing.T) set {
	t.Helper()
	s, err := readSet("../../../shared/data", "examples.txt")
	if errors.Is(err, fs.ErrNotExist) {
		need.Unmet(t, need.Data, "no real data here")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHeldOut: the detector of this repository was made of this data and these settings, and finds more than the rule before it
// on prompts that it was not trained on.
func TestHeldOut(t *testing.T) {
	s := readData(t)
	d, err := refusal.Load()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Made(), s.made) {
		t.Errorf("the detector was made otherwise, train it again:\n%s\nnow\n%s", strings.Join(d.Made(), "\n"), strings.Join(s.made, "\n"))
	}
	var items, before []refusal.Item
	for _, a := range s.only(answer.test) {
		if a.Model == harmless {
			continue
		}
		item := refusal.Item{Model: a.Model, Prompt: a.Prompt, Label: a.Label, Verdict: d.Judge(a.Response).Verdict}
		items = append(items, item)
		item.Verdict = rule(a.Response)
		before = append(before, item)
	}
	now, was := refusal.Measure(items), refusal.Measure(before)
	if now.Recall.Share < 0.9 || now.Recall.Share < was.Recall.Share+0.1 || now.FalseAlarm.Count > 1 || now.NotJudged > 0 {
		t.Errorf("recall %+v, false alarms %+v, not judged %d; by the rule %+v, %+v", now.Recall, now.FalseAlarm, now.NotJudged, was.Recall, was.FalseAlarm)
	}
}

// madeUp are answers of which every third declines, in words that no other has.
func madeUp(n int) []answer {
	var out []answer
	for i := range n {
		a := answer{Model: "m", Prompt: fmt.Sprint("prompt ", i), Response: "Take two of these and wait.", Label: refusal.FullCompliance}
		if i%3 == 0 {
			a.Response, a.Label = "I cannot do this for you.", refusal.FullRefusal
		}
		a.features = refusal.Features(a.Response)
		out = append(out, a)
	}
	return out
}

// TestTrain: what can be told apart is, and the same answers give the same detector.
func TestTrain(t *testing.T) {
	answers := madeUp(60)
	d, err := train(answers, []string{"a test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range answers {
		if d.Refuses(a.Response) != (a.Label == refusal.FullRefusal) {
			t.Fatalf("%q: %+v", a.Response, d.Judge(a.Response))
		}
	}
	again, err := train(answers, []string{"a test"})
	if err != nil || again.Format() != d.Format() {
		t.Errorf("%v: trained twice, two detectors", err)
	}
}

// TestLeastScore: no lower score keeps the budget, and this one does.
func TestLeastScore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "answers")
		answers, scores := madeUp(n), make([]float64, n)
		for i := range scores {
			scores[i] = rapid.Float64Range(-9, 9).Draw(t, "score")
		}
		alarms := func(from float64) (count, of int) {
			for i, a := range answers {
				if a.Label == refusal.FullCompliance {
					of++
					if scores[i] >= from {
						count++
					}
				}
			}
			return count, of
		}
		least := leastScore(answers, scores)
		if count, of := alarms(least); float64(count) > budget*float64(of) {
			t.Fatalf("%d false alarms of %d from %g on", count, of, least)
		}
		// The next answer below is one that would break the budget, or as bad.
		below := math.Inf(-1)
		for i, a := range answers {
			if a.Label == refusal.FullCompliance && scores[i] < least {
				below = max(below, scores[i])
			}
		}
		if count, of := alarms(below); !math.IsInf(below, -1) && float64(count) <= budget*float64(of) {
			t.Fatalf("from %g on there are %d false alarms of %d: the threshold could be lower than %g", below, count, of, least)
		}
	})
}

// TestLogistic: slopes by differences.
func TestLogistic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, is := rapid.Float64Range(-30, 30).Draw(t, "score"), rapid.Bool().Draw(t, "is")
		loss, slope := logistic(x, is)
		const h = 1e-5
		up, _ := logistic(x+h, is)
		down, _ := logistic(x-h, is)
		if loss < 0 || math.Abs((up-down)/(2*h)-slope) > 1e-6 {
			t.Fatalf("loss %g, slope %g, by differences %g", loss, slope, (up-down)/(2*h))
		}
	})
}
