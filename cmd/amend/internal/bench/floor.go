package bench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// floor is the time that a workload's necessary tokens would take at the speeds
// which plain llama_decode reaches on this machine: each distinct prompt token
// at the prefill speed of its depth, each decoded token its share of a full
// decode step at its depth. It has no scheduling, no sampling, no reuse to find
// and no row that ends before another.
type floor struct {
	seconds float64
	// points are what was measured, by rising depth.
	points []Speed
}

// Speed is what plain llama_decode does below a number of tokens, in seconds.
type Speed struct {
	Depth   int     `json:"depth"`
	Step    float64 `json:"step_s"`    // one token of every sequence
	Prefill float64 `json:"prefill_s"` // one prompt token, in full batches
}

// measureFloor measures a backend whose sequences are empty; it leaves them
// filled. sequences is how many decode at once; the next above them must be
// free too.
func measureFloor(ctx context.Context, b engine.Backend, w *workload.Workload, sequences int) (floor, error) {
	m := meter{ctx: ctx, b: b, n: sequences, batch: b.Limits().Batch, rng: rand.New(rand.NewPCG(1, 2))}
	shallow, deepest := w.Lengths.Preamble, w.Longest()-8
	preamble, err := m.fill(shallow)
	if err == nil {
		_, err = m.fill(deepest)
	}
	if err == nil {
		err = m.spread()
	}
	if err != nil {
		return floor{}, fmt.Errorf("measuring the floor: %w", err)
	}
	var f floor
	for _, depth := range []int{deepest, (shallow + deepest) / 2, shallow} {
		s, err := m.at(depth)
		if err != nil {
			return f, fmt.Errorf("measuring the floor at %d tokens: %w", depth, err)
		}
		f.points = append([]Speed{s}, f.points...)
	}
	f.seconds = preamble.Seconds()
	w.Each(func(depth int, prefill bool) {
		if depth < w.Lengths.Preamble {
			return
		}
		step, pre := f.speed(depth)
		if prefill {
			f.seconds += pre
		} else {
			f.seconds += step / float64(sequences)
		}
	})
	return f, nil
}

// speed interpolates between the points.
func (f floor) speed(depth int) (step, prefill float64) {
	i := 1
	for i < len(f.points)-1 && f.points[i].Depth < depth {
		i++
	}
	a, b := f.points[i-1], f.points[i]
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

// fill computes tokens of sequence 0 in full batches until it holds n, and
// returns what that took.
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
	return took, nil
}

// spread copies sequence 0 to the others.
func (m *meter) spread() error {
	for seq := 1; seq < m.n; seq++ {
		if !m.b.Copy(0, seq, m.depth) {
			return fmt.Errorf("sequence 0 of %d tokens cannot be copied", m.depth)
		}
	}
	return nil
}

// at cuts all sequences to a depth and times a decode step and prefill there.
func (m *meter) at(depth int) (Speed, error) {
	m.cut(depth)
	const tries = 7 // the first warms up; of the others the median counts
	var steps, prompts []float64
	chunk := min(m.batch/m.n, 32)
	for range tries {
		step, err := m.decode(depth, 1, true, 0, m.n)
		if err != nil {
			return Speed{}, err
		}
		steps = append(steps, step.Seconds())
		m.cut(depth)
	}
	for range tries - 3 {
		prompt, err := m.decode(depth, chunk, false, 0, m.n)
		if err != nil {
			return Speed{}, err
		}
		prompts = append(prompts, prompt.Seconds()/float64(chunk*m.n))
		m.cut(depth)
	}
	return Speed{Depth: depth, Step: median(steps[1:], cmp.Compare), Prefill: median(prompts[1:], cmp.Compare)}, nil
}

func (m *meter) cut(depth int) {
	for seq := range m.n {
		m.b.Cut(seq, depth)
	}
}
