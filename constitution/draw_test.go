package constitution

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func weighted(weights ...float64) *Document {
	d := &Document{Name: "test"}
	for i, w := range weights {
		d.Principles = append(d.Principles, Principle{ID: fmt.Sprintf("p%d", i), Weight: w})
	}
	return d
}

// draw is Draw for a row that says nothing of itself.
func (d *Document) draw(seed uint64, round int) Principle {
	p, _ := d.Draw(seed, round, Attributes{})
	return p
}

func (d *Document) index(p Principle) int {
	return slices.IndexFunc(d.Principles, func(q Principle) bool { return q.ID == p.ID })
}

// chiSquare returns how far counts are from their expectation, in units of the value that chance exceeds
// once in 30,000 (Wilson and Hilferty's approximation at 4 standard deviations).
func chiSquare(counts []int, expected []float64) float64 {
	sum, df := 0.0, -1.0
	for i, e := range expected {
		if e == 0 {
			if counts[i] > 0 {
				return math.Inf(1)
			}
			continue
		}
		sum += (float64(counts[i]) - e) * (float64(counts[i]) - e) / e
		df++
	}
	limit := df * math.Pow(1-2/(9*df)+4*math.Sqrt(2/(9*df)), 3)
	return sum / limit
}

func TestDrawFollowsWeights(t *testing.T) {
	const draws = 20_000
	for _, tt := range []struct{ weights, shares []float64 }{
		{[]float64{1, 1, 1, 1}, []float64{.25, .25, .25, .25}},
		{[]float64{0, 3, 1, 0, 0.5, 0.5, 0}, []float64{0, .6, .2, 0, .1, .1, 0}},
		{[]float64{0, 0, 0}, []float64{1. / 3, 1. / 3, 1. / 3}}, // all off: evenly
		{[]float64{1e9, 1e9}, []float64{.5, .5}},
	} {
		doc := weighted(tt.weights...)
		byRow, byRound := make([]int, len(tt.weights)), make([]int, len(tt.weights))
		expected := make([]float64, len(tt.weights))
		for i := range draws {
			byRow[doc.index(doc.draw(uint64(i), 1))]++
			byRound[doc.index(doc.draw(7, i))]++
		}
		for i, s := range tt.shares {
			expected[i] = s * draws
		}
		if x := chiSquare(byRow, expected); x > 1 {
			t.Errorf("weights %v over rows: counts %v, expected %v (%.1f of the limit)", tt.weights, byRow, expected, x)
		}
		if x := chiSquare(byRound, expected); x > 1 {
			t.Errorf("weights %v over rounds: counts %v, expected %v (%.1f of the limit)", tt.weights, byRound, expected, x)
		}
	}
}

// Pairs of draws are spread evenly over all pairs: of two rounds of a row, and of neighbouring seeds.
func TestDrawsAreIndependent(t *testing.T) {
	const n, draws = 6, 36_000
	doc := weighted(1, 1, 1, 1, 1, 1)
	rounds, rows := make([]int, n*n), make([]int, n*n)
	expected := slices.Repeat([]float64{draws / (n * n)}, n*n)
	for i := range uint64(draws) {
		first := doc.index(doc.draw(i, 1))
		rounds[first*n+doc.index(doc.draw(i, 2))]++
		rows[first*n+doc.index(doc.draw(i+1, 1))]++
	}
	if x := chiSquare(rounds, expected); x > 1 {
		t.Errorf("two rounds of a row depend on each other (%.1f of the limit): %v", x, rounds)
	}
	if x := chiSquare(rows, expected); x > 1 {
		t.Errorf("neighbouring rows depend on each other (%.1f of the limit): %v", x, rows)
	}
}

func TestDrawDependsOnSeedAndRoundAlone(t *testing.T) {
	doc, err := Load("hhh")
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		seed  uint64
		round int
	}
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOf(rapid.Custom(func(t *rapid.T) key {
			return key{rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 8).Draw(t, "round")}
		})).Draw(t, "keys")
		drawn := map[key]string{}
		for _, k := range keys {
			drawn[k] = doc.draw(k.seed, k.round).ID
		}
		for _, k := range rapid.Permutation(keys).Draw(t, "other order") {
			if got := doc.draw(k.seed, k.round).ID; got != drawn[k] {
				t.Fatalf("%v: %s, then %s", k, drawn[k], got)
			}
		}
	})
}

// The draws of a seed are part of what makes a run repeatable, across versions too.
func TestDrawIsStable(t *testing.T) {
	doc := weighted(1, 1, 1, 1, 1, 1, 1, 1)
	var got []int
	for round := range 8 {
		got = append(got, doc.index(doc.draw(42, round)))
	}
	if want := []int{4, 5, 5, 1, 5, 0, 5, 1}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSelect(t *testing.T) {
	doc := weighted(1, 0, 2, 0)
	doc.Demonstrations = []Demonstration{{Principle: "p0"}}
	doc.Principles[1].Tags = []string{"narrow"}
	doc.Principles[3].Tags = []string{"narrow", "law"}
	before := fmt.Sprint(*doc)
	for _, tt := range []struct {
		names, want []string
	}{
		{nil, []string{"p0", "p1", "p2", "p3"}},
		{[]string{"p2", "p0"}, []string{"p0", "p2"}},
		{[]string{"narrow"}, []string{"p1", "p3"}},
		{[]string{"law", "p3", "p0"}, []string{"p0", "p3"}},
	} {
		got, err := doc.Select(tt.names)
		if err != nil {
			t.Errorf("%v: %v", tt.names, err)
			continue
		}
		if !slices.Equal(got.ids(), tt.want) || len(got.Demonstrations) != 1 {
			t.Errorf("%v: %v with %d demonstrations, want %v with 1", tt.names, got.ids(), len(got.Demonstrations), tt.want)
		}
	}
	_, err := doc.Select([]string{"p1", "narow"})
	if err == nil || !strings.Contains(err.Error(), `no id or tag "narow" (did you mean "narrow"?); there are: p0, p1, p2, p3, narrow, law`) {
		t.Errorf("an unknown tag: %v", err)
	}
	if after := fmt.Sprint(*doc); after != before {
		t.Errorf("Select changed its document:\n%s\n%s", before, after)
	}
}

// TestDrawApplies: a principle is drawn for the rows that it applies to, with the weights that are left.
func TestDrawApplies(t *testing.T) {
	doc := weighted(1, 2, 1, 4)
	doc.Principles[1].Applies = Applies{PromptTags: []string{"health", "law"}}
	doc.Principles[2].Applies = Applies{Languages: []string{"fr"}, Jurisdictions: []string{"za", "ng"}}
	doc.Principles[3].Applies = Applies{PromptTags: []string{"law"}, Jurisdictions: []string{"za"}}
	for _, tt := range []struct {
		name   string
		where  Attributes
		shares []float64
	}{
		{"nothing said", Attributes{}, []float64{.5, 0, .5, 0}},
		{"a tag", Attributes{Tags: []string{"cooking", "health"}}, []float64{.25, .5, .25, 0}},
		{"a tag in another spelling", Attributes{Tags: []string{"Health"}}, []float64{.25, .5, .25, 0}},
		{"all of it in another spelling", Attributes{Tags: []string{" LAW"}, Language: "French", Jurisdiction: "ZA"}, []float64{.125, .25, .125, .5}},
		{"another language", Attributes{Language: "en"}, []float64{1, 0, 0, 0}},
		{"all of it", Attributes{Tags: []string{"law"}, Language: "fr", Jurisdiction: "za"}, []float64{.125, .25, .125, .5}},
		{"another jurisdiction", Attributes{Tags: []string{"law"}, Jurisdiction: "de"}, []float64{1. / 3, 2. / 3, 0, 0}},
	} {
		const draws = 20_000
		counts, expected := make([]int, 4), make([]float64, 4)
		for i := range uint64(draws) {
			p, ok := doc.Draw(i, 1, tt.where)
			if !ok {
				t.Fatalf("%s: nothing applies", tt.name)
			}
			counts[doc.index(p)]++
		}
		for i, s := range tt.shares {
			expected[i] = s * draws
		}
		if slices.Max(tt.shares) < 1 && chiSquare(counts, expected) > 1 || slices.Max(tt.shares) == 1 && counts[0] != draws {
			t.Errorf("%s: counts %v, expected %v", tt.name, counts, expected)
		}
	}
	doc.Principles = doc.Principles[1:2]
	if p, ok := doc.Draw(1, 1, Attributes{}); ok {
		t.Errorf("%s is drawn for a row that it does not apply to", p.ID)
	}
}

// TestDrawSeveral: the first is drawn by weight, the next by weight of what is left; none twice, and none of weight 0
// where others have any.
func TestDrawSeveral(t *testing.T) {
	const draws = 20_000
	doc := weighted(3, 1, 0, 2)
	first, second := make([]int, 4), make([]int, 4) // second: behind p0
	for seed := range uint64(draws) {
		got := doc.DrawSeveral(seed, 9, Attributes{})
		if len(got) != 3 || got[0].ID == got[1].ID || got[1].ID == got[2].ID || got[0].ID == got[2].ID {
			t.Fatalf("seed %d: %+v", seed, got)
		}
		first[doc.index(got[0])]++
		if got[0].ID == "p0" {
			second[doc.index(got[1])]++
		}
	}
	if x := chiSquare(first, []float64{draws / 2, draws / 6., 0, draws / 3.}); x > 1 {
		t.Errorf("first: %v", first)
	}
	behind := float64(first[0])
	if x := chiSquare(second, []float64{0, behind / 3, 0, behind * 2 / 3}); x > 1 {
		t.Errorf("behind the first principle: %v", second)
	}
	if got := weighted(0, 0, 0).DrawSeveral(1, 2, Attributes{}); len(got) != 2 {
		t.Errorf("of weights 0: %+v", got)
	}
}

// TestDrawSeveralKeepsOthers: a principle that is taken out or edited moves no other one.
func TestDrawSeveralKeepsOthers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := weighted(rapid.SliceOfN(rapid.Float64Range(0.1, 4), 2, 8).Draw(t, "weights")...)
		seed, n := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(1, 5).Draw(t, "n")
		out := rapid.IntRange(0, len(doc.Principles)-1).Draw(t, "out")
		ids := func(ps []Principle) (out []string) {
			for _, p := range ps {
				out = append(out, p.ID)
			}
			return out
		}
		before := ids(doc.DrawSeveral(seed, n, Attributes{}))
		gone := doc.Principles[out].ID
		doc.Principles = slices.Delete(doc.Principles, out, out+1)
		after := ids(doc.DrawSeveral(seed, n, Attributes{}))
		kept := slices.DeleteFunc(before, func(id string) bool { return id == gone })
		if !slices.Equal(after[:len(kept)], kept) {
			t.Fatalf("without %s: %v, before that %v", gone, after, kept)
		}
	})
}
