package fit

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"amend/constitution"
)

func document(weights ...float64) *constitution.Document {
	doc := &constitution.Document{Name: "test"}
	for i, w := range weights {
		doc.Principles = append(doc.Principles, constitution.Principle{ID: string(rune('a' + i)), Weight: w})
	}
	return doc
}

// TestWeigh: weights go up with how much likelier than usual a title is, and by what the constitution weighs; no principle that
// can be drawn is out of the draw, and none comes into it.
func TestWeigh(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0.5, 1, 2}), 2, 6).Draw(t, "weights")
		doc := document(weights...)
		scores, c := make([]float64, len(weights)), Calibration{Base: map[string]float64{}, Sharpness: rapid.Float64Range(0, 3).Draw(t, "sharpness")}
		none := true
		for i, p := range doc.Principles {
			scores[i] = rapid.Float64Range(-50, 0).Draw(t, "score")
			c.Base[p.ID] = rapid.Float64Range(-50, 0).Draw(t, "base")
			none = none && p.Weight == 0
		}
		got, err := c.Weigh(doc, scores)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range got.Principles {
			if doc.Principles[i].Weight != weights[i] {
				t.Fatalf("the document itself was changed: %+v", doc.Principles[i])
			}
			if drawn := weights[i] > 0 || none; drawn != (p.Weight > 0) {
				t.Fatalf("principle %s of weight %v has weight %v", p.ID, weights[i], p.Weight)
			}
			for k, q := range got.Principles {
				likelier := scores[i]-c.Base[p.ID] > scores[k]-c.Base[q.ID]
				if weights[i] == weights[k] && likelier && p.Weight < q.Weight {
					t.Fatalf("%s fits better than %s, and has weight %v and not above %v", p.ID, q.ID, p.Weight, q.Weight)
				}
			}
		}
	})
	if _, err := (Calibration{}).Weigh(document(1, 1), []float64{-1}); err == nil {
		t.Error("one score for two principles is no error")
	}
}

// TestWeighBluntly: with no sharpness every principle keeps its weight.
func TestWeighBluntly(t *testing.T) {
	got, err := Calibration{Base: map[string]float64{"a": -3}}.Weigh(document(1, 2), []float64{-1, -9})
	if err != nil || got.Principles[0].Weight != 1 || got.Principles[1].Weight != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSharpen finds the sharpness by which known principles were drawn, and none where lifts say nothing.
func TestSharpen(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, want := range []float64{0, 0.5, 1.5} {
		var lifts [][]float64
		var known []int
		for range 4000 {
			of := make([]float64, 8)
			total := 0.0
			for i := range of {
				of[i] = 2 * random.NormFloat64()
				total += math.Exp(want * of[i])
			}
			point, at := random.Float64()*total, 0
			for point -= math.Exp(want * of[0]); point > 0 && at < len(of)-1; point -= math.Exp(want * of[at]) {
				at++
			}
			lifts, known = append(lifts, of), append(known, at)
		}
		if got := Sharpen(lifts, known); math.Abs(got-want) > 0.1 {
			t.Errorf("sharpness %v, want %v", got, want)
		}
	}
}

// TestTitle: a principle without a title goes by its id.
func TestTitle(t *testing.T) {
	if got := Title(constitution.Principle{ID: "no-harm"}); got != "no harm" {
		t.Errorf("%q", got)
	}
	if got := Title(constitution.Principle{ID: "no-harm", Title: "Avoid harm"}); got != "Avoid harm" {
		t.Errorf("%q", got)
	}
}
