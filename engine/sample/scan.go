package sample

import "math"

// blockSize is how many logits are one block: what holds nothing of interest
// is passed over in blocks. In smaller ones the search for every block's
// largest takes longer, in larger ones less is passed over.
const blockSize = 512

// blockAt returns block b of the logits, and the id of its first token.
func blockAt(logits []float32, b int) (Token, []float32) {
	start := b * blockSize
	return Token(start), logits[start:min(start+blockSize, len(logits))]
}

// scan returns the first of the largest logits, −1 when all are −Inf, and
// notes the largest of every block. −Inf is a token that is ruled out; NaN or
// +Inf is a fault.
func (s *Sampler) scan(logits []float32) (Token, error) {
	s.peaks = s.peaks[:0]
	best, top := Token(-1), float32(math.Inf(-1))
	for b := range (len(logits) + blockSize - 1) / blockSize {
		start, block := blockAt(logits, b)
		i, ok := largest(block)
		if !ok {
			return -1, ErrLogits
		}
		peak := float32(math.Inf(-1))
		if i >= 0 {
			peak = block[i]
		}
		s.peaks = append(s.peaks, peak)
		if peak > top {
			best, top = start+Token(i), peak
		}
	}
	return best, nil
}

// Check returns ErrLogits when no token can be drawn from logits: one is NaN or
// +Inf, or all are −Inf.
func Check(logits []float32) error {
	_, err := argmax(logits)
	return err
}

// argmax returns the first of the largest logits, or ErrLogits when one is NaN
// or +Inf, or all are −Inf.
func argmax(logits []float32) (Token, error) {
	i, ok := largest(logits)
	if !ok || i < 0 {
		return -1, ErrLogits
	}
	return Token(i), nil
}

// largest returns where the first of the largest logits is, −1 when all are
// −Inf, and false when one is NaN or +Inf.
func largest(logits []float32) (int, bool) {
	best, top := -1, float32(math.Inf(-1))
	for i := 0; i < len(logits); {
		// Comparisons with NaN are false, so it gets through to the second half.
		if i+8 <= len(logits) {
			l := (*[8]float32)(logits[i:])
			if l[0] <= top && l[1] <= top && l[2] <= top && l[3] <= top &&
				l[4] <= top && l[5] <= top && l[6] <= top && l[7] <= top {
				i += 8
				continue
			}
		}
		if l := logits[i]; !(l <= top) {
			if !(l <= math.MaxFloat32) {
				return -1, false
			}
			best, top = i, l
		}
		i++
	}
	return best, true
}
