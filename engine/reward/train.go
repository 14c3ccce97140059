package reward

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"

	"amend/engine/split"
)

// exact is the gradient at which a fit ends, near the one at which it will do.
const exact, near = 1e-6, 1e-3

// folds is how many parts prompts are split into: each is predicted by what is trained on the others.
const folds = 5

// penalties are the strengths of L2 that are tried, per pair.
var penalties = []float64{1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1}

// Trial is a pooling and a penalty, and how well they predict labels of prompts that they were not trained on.
type Trial struct {
	Pooling Pooling `json:"pooling"`
	L2      float64 `json:"l2"`
	// Loss is the mean cross-entropy against the labels, in nats, Agreement the share of pairs in which the same response is
	// preferred.
	Loss      float64 `json:"loss"`
	Agreement float64 `json:"agreement"`
}

// Train fits a model on pairs, of hidden states that have this name: every pooling and penalty is tried by cross-validation that
// keeps a prompt's pairs together, the best one is then trained on all pairs. There is no intercept: with the two
// responses exchanged the probability is exactly the opposite one.
// It ends early when ctx does.
func Train(ctx context.Context, pairs []Pair, states string) (*Model, []Trial, error) {
	if err := Check(pairs); err != nil {
		return nil, nil, err
	}
	var trials []Trial
	for _, pooling := range Poolings() {
		data := newDesign(pairs, pooling)
		for _, l2 := range penalties {
			t, err := data.validate(ctx, l2)
			if err != nil {
				return nil, nil, fmt.Errorf("trying %s with a penalty of %g: %w", pooling, l2, err)
			}
			t.Pooling = pooling
			trials = append(trials, t)
		}
	}
	best := slices.MinFunc(trials, func(a, b Trial) int { return cmp.Compare(a.Loss, b.Loss) })
	data := newDesign(pairs, best.Pooling)
	w, err := data.fit(func(int) bool { return true }, best.L2)
	if err != nil {
		return nil, nil, err
	}
	floats.Div(w, data.scale) // for the states as they come
	m := &Model{Format: Format, Split: split.Name, States: states, Pooling: best.Pooling, L2: best.L2, Weights: w}
	for _, p := range pairs {
		m.Prompts = append(m.Prompts, p.Prompt)
	}
	slices.Sort(m.Prompts)
	m.Prompts = slices.Compact(m.Prompts)
	return m, trials, nil
}

// Check reports pairs that nothing can be learnt from.
func Check(pairs []Pair) error {
	if len(pairs) == 0 {
		return errors.New("no labelled pairs to train on")
	}
	n := len(pairs[0].First.Last)
	parts := map[int]bool{}
	for i, p := range pairs {
		for _, f := range []Features{p.First, p.Second} {
			if len(f.Last) != n || len(f.Mean) != n || n == 0 {
				return fmt.Errorf("pair %d has hidden states of %d and %d numbers, the first pair of %d", i, len(f.Last), len(f.Mean), n)
			}
			if f.Tokens < 1 {
				return fmt.Errorf("pair %d has a response of %d tokens", i, f.Tokens)
			}
			if slices.ContainsFunc(slices.Concat(f.Last, f.Mean), func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
				return fmt.Errorf("pair %d has hidden states that are not numbers (NaN or infinite)", i)
			}
		}
		if !(p.P >= 0 && p.P <= 1) {
			return fmt.Errorf("pair %d has a label of %v: it must be from 0 to 1", i, p.P)
		}
		parts[p.Place.Fold(folds)] = true
	}
	if len(parts) < folds {
		return fmt.Errorf("the %d pairs are of too few prompts to hold some out: label more", len(pairs))
	}
	return nil
}

// design is pairs as a regression sees them: a row of differences for each, scaled to a mean square of 1.
type design struct {
	x     *mat.Dense
	p     []float64
	fold  []int
	scale []float64
}

func newDesign(pairs []Pair, pooling Pooling) *design {
	n, dims := len(pairs), len(pairs[0].First.Last)
	d := &design{x: mat.NewDense(n, dims, nil), p: make([]float64, n), fold: make([]int, n), scale: make([]float64, dims)}
	second := make([]float64, dims)
	for i, pair := range pairs {
		row := d.x.RawRowView(i)
		pair.First.pooled(pooling, row)
		pair.Second.pooled(pooling, second)
		floats.Sub(row, second)
		for k := range row {
			d.scale[k] += row[k] * row[k] / float64(n)
		}
		d.p[i], d.fold[i] = pair.P, pair.Place.Fold(folds)
	}
	for k, square := range d.scale {
		if d.scale[k] = math.Sqrt(square); d.scale[k] == 0 {
			d.scale[k] = 1 // a state that never differs
		}
	}
	for i := range n {
		floats.Div(d.x.RawRowView(i), d.scale)
	}
	return d
}

// validate predicts each part by what is trained on the others.
func (d *design) validate(ctx context.Context, l2 float64) (Trial, error) {
	t := Trial{L2: l2}
	n := float64(len(d.p))
	for part := range folds {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		w, err := d.fit(func(i int) bool { return d.fold[i] != part }, l2)
		if err != nil {
			return t, err
		}
		for i, p := range d.p {
			if d.fold[i] != part {
				continue
			}
			margin := floats.Dot(d.x.RawRowView(i), w)
			t.Loss += entropy(margin, p) / n
			switch {
			case p == 0.5 || margin == 0:
				t.Agreement += 0.5 / n
			case (margin > 0) == (p > 0.5):
				t.Agreement += 1 / n
			}
		}
	}
	return t, nil
}

// entropy is the cross-entropy of a label and the logistic function of a margin.
func entropy(margin, p float64) float64 {
	// log(1 + exp(margin)) without overflow
	softplus := max(margin, 0) + math.Log1p(math.Exp(-math.Abs(margin)))
	return softplus - p*margin
}

// fit finds the weights of the rows that are used: the minimum of a convex function, by L-BFGS.
func (d *design) fit(use func(i int) bool, l2 float64) ([]float64, error) {
	n, dims := d.x.Dims()
	used := 0.0
	for i := range n {
		if use(i) {
			used++
		}
	}
	problem := optimize.Problem{
		Func: func(w []float64) float64 {
			loss := l2 / 2 * floats.Dot(w, w)
			for i := range n {
				if use(i) {
					loss += entropy(floats.Dot(d.x.RawRowView(i), w), d.p[i]) / used
				}
			}
			return loss
		},
		Grad: func(grad, w []float64) {
			floats.ScaleTo(grad, l2, w)
			for i := range n {
				if use(i) {
					row := d.x.RawRowView(i)
					floats.AddScaled(grad, (1/(1+math.Exp(-floats.Dot(row, w)))-d.p[i])/used, row)
				}
			}
		},
	}
	result, err := optimize.Minimize(problem, make([]float64, dims), &optimize.Settings{GradientThreshold: exact, MajorIterations: 2000}, &optimize.LBFGS{})
	if result == nil {
		return nil, fmt.Errorf("fitting %g pairs: %w", used, err)
	}
	// A search that can make no more progress for rounding ends with an error, near the minimum.
	slope := make([]float64, dims)
	problem.Grad(slope, result.X)
	if steepest := floats.Norm(slope, math.Inf(1)); !(steepest <= near) {
		return nil, fmt.Errorf("fitting %g pairs stopped where the loss still falls by %g: %v", used, steepest, result.Status)
	}
	return result.X, nil
}
