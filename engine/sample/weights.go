package sample

import "math"

// weights turns logits into the weights of a softmax, e^((logit−top)/T), that
// of the largest logit being 1.
type weights struct {
	top   float64
	scale float64 // to steps of power
}

func weigher(top float32, temperature float64) weights {
	// The bound keeps 0 times the scale a number for the smallest temperatures.
	return weights{float64(top), min(steps/math.Ln2/temperature, 1e300)}
}

// of is the weight of one logit.
func (w weights) of(logit float32) float64 { return power((float64(logit) - w.top) * w.scale) }

// sum is the weight of those of a block of logits, whose first token is start,
// that are not behind last.
func (w weights) sum(block []float32, start Token, last candidate) float64 {
	sum := 0.0
	for i, l := range block {
		if l < last.logit || l == last.logit && start+Token(i) > last.id {
			continue
		}
		sum += w.of(l)
	}
	return sum
}

const steps = 32 // of power in one octave

// power is 2^(x/32) for x ≤ 0, to a part in 10⁹, and 0 below 2^−1000: math.Exp
// takes five times as long. Logits around 10 are float32 numbers a part in 10⁷
// apart, so this error is far below that of what comes in.
//
// x is split into a whole number, whose power is a root from the table with
// another exponent, and a rest f of at most a half, whose power is the series
// of e^(f·ln2/32) up to the third order; the fourth is below 6·10⁻¹⁰.
func power(x float64) float64 {
	if x < -1000*steps {
		return 0
	}
	const (
		a     = math.Ln2 / steps
		shift = 3 << 51 // a sum this large has no bits left for fractions
	)
	t := x + shift
	k := math.Float64bits(t) // the whole number, in its lowest bits
	f := x - (t - shift)
	return (1 + f*(a+f*(a*a/2+f*(a*a*a/6)))) * math.Float64frombits(roots[k%steps]+k/steps<<52)
}

// roots are the bits of 2^(i/32).
var roots = [steps]uint64{
	0x3ff0000000000000, 0x3ff059b0d3158574, 0x3ff0b5586cf9890f, 0x3ff11301d0125b51,
	0x3ff172b83c7d517b, 0x3ff1d4873168b9aa, 0x3ff2387a6e756238, 0x3ff29e9df51fdee1,
	0x3ff306fe0a31b715, 0x3ff371a7373aa9cb, 0x3ff3dea64c123422, 0x3ff44e086061892d,
	0x3ff4bfdad5362a27, 0x3ff5342b569d4f82, 0x3ff5ab07dd485429, 0x3ff6247eb03a5585,
	0x3ff6a09e667f3bcd, 0x3ff71f75e8ec5f74, 0x3ff7a11473eb0187, 0x3ff82589994cce13,
	0x3ff8ace5422aa0db, 0x3ff93737b0cdc5e5, 0x3ff9c49182a3f090, 0x3ffa5503b23e255d,
	0x3ffae89f995ad3ad, 0x3ffb7f76f2fb5e47, 0x3ffc199bdd85529c, 0x3ffcb720dcef9069,
	0x3ffd5818dcfba487, 0x3ffdfc97337b9b5f, 0x3ffea4afa2a490da, 0x3fff50765b6e4540,
}
