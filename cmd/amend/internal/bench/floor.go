package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// Floor is the time that a workload's necessary tokens would take at the speeds
// which plain llama_decode reaches on this machine: each distinct prompt token
// at the prefill speed of its depth, each decoded token its share of a full
// decode step at its depth. It has no scheduling, no sampling, no reuse to find
// and no row that ends before another.
type Floor struct {
	Seconds float64
	// Points are what was measured, by rising depth.
	Points []Speed
}

// Speed is what plain llama_decode does below a number of tokens, in seconds.
type Speed struct {
	Depth   int     `json:"depth"`
	Step    float64 `json:"step_s"`    // one token of every sequence
	Prefill float64 `json:"prefill_s"` // one prompt token, in full batches
}

// MeasureFloor measures a backend whose sequences are empty; it leaves them
// filled. sequences is how many decode at once; the next above them must be
// free too.
func MeasureFloor(ctx context.Context, b engine.Backend, w *workload.Workload, sequences int) (Floor, error) {
	m := meter{ctx: ctx, b: b, n: sequences, batch: b.Limits().Batch, rng: rand.New(rand.NewPCG(1, 2))}
	preamble, err := m.fill(w.Lengths.Preamble)
	if err != nil {
		return Floor{}, fmt.Errorf("measuring the floor: %w", err)
	}
	var f Floor
	deepest := w.Longest() - 8
	for _, depth := range []int{w.Lengths.Preamble, (w.Lengths.Preamble + deepest) / 2, deepest} {
		s, err := m.at(depth)
		if err != nil {
			return f, fmt.Errorf("measuring the floor at %d tokens: %w", depth, err)
		}
		f.Points = append(f.Points, s)
	}
	f.Seconds = preamble.Seconds()
	w.Each(func(depth int, prefill bool) {
		if depth < w.Lengths.Preamble {
			return
		}
		step, pre := f.speed(depth)
		if prefill {
			f.Seconds += pre
		} else {
			f.Seconds += step / float64(sequences)
		}
	})
	return f, nil
}

// speed interpolates between the points.
func (f Floor) speed(depth int) (step, prefill float64) {
	i := 1
	for i < len(f.Points)-1 && f.Points[i].Depth < depth {
		i++
	}
	a, b := f.Points[i-1], f.Points[i]
	part := 0.0
	if b.Depth > a.Depth {
		part = float64(depth-a.Depth) / float64(b.Depth-a.Depth)
	}
	return a.Step + part*(b.Step-a.Step), a.Prefill + part*(b.Prefill-a.Prefill)
}

// meter times plain decodes.
type meter struct {
	ctx   context.Context
	b     engine.Backend
	n     int // sequences that decode
	batch int
	depth int // tokens that each of them holds
	rng   *rand.Rand
	in    []engine.Input
}

// decode computes tokens more tokens of the given sequences and waits for them.
func (m *meter) decode(depth, tokens int, logits bool, from, to int) (time.Duration, error) {
	m.in = m.in[:0]
	for seq := from; seq < to; seq++ {
		for i := range tokens {
			m.in = append(m.in, engine.Input{Token: engine.Token(100 + m.rng.IntN(900)), Pos: int32(depth + i), Seq: seq, Logits: logits || (seq == to-1 && i == tokens-1)})
		}
	}
	start := time.Now()
	if err := m.b.Decode(m.ctx, m.in); err != nil {
		return 0, err
	}
	if _, err := m.b.Logits(len(m.in) - 1); err != nil {
		return 0, err
	}
	return time.Since(start), nil
}

// fill computes n tokens in sequence 0 in full batches, copies them to the
// others and returns what computing took.
func (m *meter) fill(n int) (time.Duration, error) {
	var took time.Duration
	for m.depth < n {
		tokens := min(m.batch, n-m.depth)
		t, err := m.decode(m.depth, tokens, false, 0, 1)
		if err != nil {
			return 0, err
		}
		took += t
		m.depth += tokens
	}
	for seq := 1; seq < m.n; seq++ {
		if n > 0 && !m.b.Copy(0, seq, n) {
			return 0, fmt.Errorf("sequence 0 of %d tokens cannot be copied", n)
		}
	}
	return took, nil
}

// at brings all sequences to a depth and times a decode step and prefill there.
func (m *meter) at(depth int) (Speed, error) {
	for m.depth < depth {
		tokens := min(m.batch/m.n, depth-m.depth)
		if _, err := m.decode(m.depth, tokens, false, 0, m.n); err != nil {
			return Speed{}, err
		}
		m.depth += tokens
	}
	s := Speed{Depth: depth}
	const tries = 4 // the first warms up; the fastest counts
	for try := range tries {
		step, err := m.decode(depth, 1, true, 0, m.n)
		if err != nil {
			return s, err
		}
		m.cut(depth)
		chunk := min(m.batch/m.n, 32)
		pre, err := m.decode(depth, chunk, false, 0, m.n)
		if err != nil {
			return s, err
		}
		m.cut(depth)
		if perToken := pre.Seconds() / float64(chunk*m.n); try == 1 || (try > 1 && perToken < s.Prefill) {
			s.Prefill = perToken
		}
		if try == 1 || (try > 1 && step.Seconds() < s.Step) {
			s.Step = step.Seconds()
		}
	}
	return s, nil
}

func (m *meter) cut(depth int) {
	for seq := range m.n {
		m.b.Cut(seq, depth)
	}
}
