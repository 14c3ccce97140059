package sample

import "math"

// candidate is a token with its logit.
type candidate struct {
	logit float32
	id    Token
}

// before is the order of the truncations: the likelier token first, the lower
// id among equals.
func (c candidate) before(d candidate) bool {
	return c.logit > d.logit || c.logit == d.logit && c.id < d.id
}

// lastOfAll is a candidate that no token is behind.
func lastOfAll() candidate { return candidate{float32(math.Inf(-1)), math.MaxInt32} }

// truncate returns the last token that top-k, top-p and min-p keep. Each keeps
// a head of one order, so together they keep the shortest.
func (s *Sampler) truncate(logits []float32, top float32) candidate {
	last := lastOfAll()
	keep := func(c candidate) {
		if c.before(last) {
			last = c
		}
	}
	byK := s.TopK > 0 && s.TopK < len(logits)
	if byK {
		s.candidates = s.likeliest(logits, s.TopK)
		if n := len(s.candidates); n > 0 {
			keep(s.candidates[n-1])
		}
	}
	if s.cutsMass() {
		keep(s.nucleus(logits, top, byK))
	}
	if s.MinP > 0 {
		keep(candidate{float32(float64(top) + math.Log(s.MinP)), math.MaxInt32})
	}
	return last
}

// likeliest returns the k likeliest tokens, the last of them last, or all that
// are not ruled out if these are fewer.
func (s *Sampler) likeliest(logits []float32, k int) []candidate {
	one := func(float32) float64 { return 1 }
	c := s.candidates[:0]
	floor := float32(math.Inf(-1)) // not above the logit of the last of the k
	for b, peak := range s.peaks {
		if peak <= floor {
			continue
		}
		start, block := blockAt(logits, b)
		for i, l := range block {
			if l <= floor { // an equal one has a higher id than those before it
				continue
			}
			if c = append(c, candidate{l, start + Token(i)}); len(c) == 2*k+64 {
				c = c[:head(c, float64(k), one)]
				floor = c[k-1].logit
			}
		}
	}
	return c[:head(c, float64(k), one)]
}

// nucleus returns the last of the likeliest tokens that have TopP of the mass:
// of what top-k left, or of all. (Min-p comes later, so what it drops counts.)
func (s *Sampler) nucleus(logits []float32, top float32, byK bool) candidate {
	w := weigher(top, 1)
	if byK {
		total := 0.0
		for _, c := range s.candidates {
			total += w.of(c.logit)
		}
		return s.candidates[head(s.candidates, s.TopP*total, w.of)-1]
	}
	target := s.TopP * w.sum(logits, 0, lastOfAll())
	for width := float32(4); ; width *= 2 {
		mass := s.above(logits, max(top-width, -math.MaxFloat32), w)
		if mass >= target || width > 1000 { // behind that, weights are 0
			return s.candidates[head(s.candidates, target, w.of)-1]
		}
	}
}

// above makes the tokens with logits of at least floor the candidates, and
// returns their mass.
func (s *Sampler) above(logits []float32, floor float32, w weights) float64 {
	c, mass := s.candidates[:0], 0.0
	for b, peak := range s.peaks {
		if peak < floor {
			continue
		}
		start, block := blockAt(logits, b)
		for i, l := range block {
			if l >= floor {
				c = append(c, candidate{l, start + Token(i)})
				mass += w.of(l)
			}
		}
	}
	s.candidates = c
	return mass
}

// head moves the shortest head of the order that weighs at least target to the
// front of c, its last token to its end, and returns its length: all of c if
// that weighs less. It is Hoare's quickselect with weights, linear on average.
func head(c []candidate, target float64, weight func(logit float32) float64) int {
	lo, hi := 0, len(c) // the head ends in here
	mass := 0.0         // of c[:lo]
	for lo < hi {
		mid, left := partition(c[lo:hi], weight)
		mid += lo
		if mass+left >= target {
			hi = mid
			continue
		}
		if mass += left + weight(c[mid].logit); mass >= target {
			return mid + 1
		}
		lo = mid + 1
	}
	return lo
}

// partition splits c at one of its candidates: those before it in the order,
// itself, the others. It returns its place and the weight of those before.
func partition(c []candidate, weight func(logit float32) float64) (int, float64) {
	end := len(c) - 1
	c[end/2], c[end] = c[end], c[end/2]
	pivot, n, mass := c[end], 0, 0.0
	for i, d := range c[:end] {
		if d.before(pivot) {
			mass += weight(d.logit)
			c[i], c[n] = c[n], d
			n++
		}
	}
	c[n], c[end] = pivot, c[n]
	return n, mass
}
