package reward

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"amend/engine/split"
)

// placeOf is where a prompt of one message lies.
func placeOf(text string) split.Place {
	return split.Of(func(yield func(role, text string) bool) { yield("user", text) })
}

// taste makes pairs whose labels follow from a direction in one of the poolings, with as many prompts as pairs.
func taste(n int, pooling Pooling, noise float64) (pairs []Pair, direction []float64) {
	const dims = 12
	r := rand.New(rand.NewPCG(3, 5))
	vector := func() []float32 {
		out := make([]float32, dims)
		for i := range out {
			out[i] = float32(r.NormFloat64() * float64(1+i)) // of unlike scales
		}
		return out
	}
	for i := range dims {
		direction = append(direction, r.NormFloat64()/float64(1+i))
	}
	for i := range n {
		p := Pair{Prompt: fmt.Sprint(i), Place: placeOf(fmt.Sprint(i)), First: Features{vector(), vector(), 1 + r.IntN(5)}, Second: Features{vector(), vector(), 1 + r.IntN(5)}}
		margin := noise * r.NormFloat64()
		first, second := make([]float64, dims), make([]float64, dims)
		p.First.pooled(pooling, first)
		p.Second.pooled(pooling, second)
		for k, w := range direction {
			margin += w * (first[k] - second[k])
		}
		p.P = 1 / (1 + math.Exp(-margin))
		pairs = append(pairs, p)
	}
	return pairs, direction
}

// TestLearnsTheDirection: of whichever pooling it is, from soft labels.
func TestLearnsTheDirection(t *testing.T) {
	for _, pooling := range Poolings() {
		pairs, want := taste(1500, pooling, 0)
		m, trials, err := Train(t.Context(), pairs, "here")
		if err != nil {
			t.Fatal(err)
		}
		if m.Pooling != pooling || len(trials) != len(Poolings())*len(penalties) {
			t.Fatalf("chose %s with %g, of %d trials", m.Pooling, m.L2, len(trials))
		}
		for k, w := range want {
			if math.Abs(m.Weights[k]-w) > 0.02*math.Abs(w)+0.002 {
				t.Errorf("%s: weight %d is %g, want %g", pooling, k, m.Weights[k], w)
			}
		}
		for _, tr := range trials {
			if tr.Pooling == pooling && tr.L2 == penalties[0] && tr.Agreement < 0.99 {
				t.Errorf("%+v", tr)
			}
			if (tr.Pooling == Last) != (pooling == Last) && tr.Agreement > 0.6 {
				t.Errorf("another pooling says as much: %+v", tr)
			}
		}
	}
}

// TestNoiseIsHeldOut: labels that have nothing to do with the states teach nothing about prompts that were held out, and
// the strongest penalty is chosen.
func TestNoiseIsHeldOut(t *testing.T) {
	pairs, _ := taste(200, Last, 0)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range pairs {
		pairs[i].P = r.Float64()
	}
	m, trials, err := Train(t.Context(), pairs, "here")
	if err != nil {
		t.Fatal(err)
	}
	if m.L2 != penalties[len(penalties)-1] {
		t.Errorf("chose a penalty of %g: %+v", m.L2, trials)
	}
}

// TestPromptsStayTogether: pairs of one prompt are never on both sides. Here each prompt has a state of its own which gives
// its labels away, so that a validation which mixes them would find them.
func TestPromptsStayTogether(t *testing.T) {
	const prompts = 60
	r := rand.New(rand.NewPCG(9, 9))
	var pairs []Pair
	for i := range prompts {
		label := float64(r.IntN(2))
		for range 8 {
			f := Features{make([]float32, prompts), make([]float32, prompts), 1}
			f.Last[i], f.Mean[i] = 1, 1
			zero := Features{make([]float32, prompts), make([]float32, prompts), 1}
			pairs = append(pairs, Pair{Prompt: fmt.Sprint("prompt ", i), Place: placeOf(fmt.Sprint("prompt ", i)), First: f, Second: zero, P: label})
		}
	}
	_, trials, err := Train(t.Context(), pairs, "here")
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range trials {
		if tr.Loss < math.Ln2-1e-6 {
			t.Errorf("%+v: better than chance over prompts that were never seen", tr)
		}
	}
}

// TestModelFile: what was written is read; a model of other states, or a damaged one, is refused.
func TestModelFile(t *testing.T) {
	pairs, _ := taste(60, Mean, 0.1)
	m, _, err := Train(t.Context(), pairs, "model aa")
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if again.Split != split.Name {
		t.Errorf("the split is %q", again.Split)
	}
	for _, p := range pairs[:5] {
		a, err := m.Score(p.First)
		b, err2 := again.Score(p.First)
		if err != nil || err2 != nil || a != b {
			t.Errorf("%v, %v; %v, %v", a, err, b, err2)
		}
	}
	if _, err := again.Score(Features{Last: make([]float32, 3), Mean: make([]float32, 3)}); err == nil {
		t.Error("states of another length are scored")
	}
	for name, tt := range map[string]struct{ text, want string }{
		"another format": {strings.Replace(string(text), `"format": 2`, `"format": 9`, 1), "format 9"},
		"no pooling":     {strings.Replace(string(text), `"mean"`, `"max"`, 1), "pools by"},
		"no JSON":        {"{", "reading a preference model"},
		"no weights":     {`{"format": 2, "states": "model aa", "pooling": "last"}`, "no weights"},
	} {
		if _, err := Decode([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNothingToLearn: what cannot be trained on is refused with the reason.
func TestNothingToLearn(t *testing.T) {
	pairs, _ := taste(40, Last, 0)
	one := pairs[:3]
	for i := range one {
		one[i].Prompt = "the same"
	}
	odd, _ := taste(40, Last, 0)
	odd[7].Second.Mean = nil
	nan, _ := taste(40, Last, 0)
	nan[5].First.Last[2] = float32(math.NaN())
	empty, _ := taste(40, Last, 0)
	empty[6].First.Tokens = 0
	bad, _ := taste(40, Last, 0)
	bad[3].P = math.NaN()
	for name, tt := range map[string]struct {
		pairs []Pair
		want  string
	}{
		"none": {nil, "no labelled pairs"}, "one prompt": {one, "too few prompts"},
		"unlike states": {odd, "pair 7"}, "an empty response": {empty, "pair 6"}, "no label": {bad, "pair 3"}, "no numbers": {nan, "pair 5"},
	} {
		if _, _, err := Train(t.Context(), tt.pairs, ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
