package feedback

import (
	"math"

	"amend/engine/stats"
)

// Calibrated is what labels are worth when the mean log-odds of their judgements are divided by a temperature (Guo et al. 2017), which
// one half of the prompts decides and the other half is reported on. What a judge has for a place adds to its log-odds in one
// order what it takes in the other, and goes out in their mean; in a mean of probabilities it does not.
type Calibrated struct {
	Temperature float64 `json:"temperature"`
	Fitted      int     `json:"fitted"`   // pairs that decided it
	Reported    int     `json:"reported"` // pairs that the rest is about
	ECE         float64 `json:"ece"`
	Brier       float64 `json:"brier"`
	Skill       float64 `json:"brier_skill"`
	Reliability []Bin   `json:"reliability"`
}

// leastToCalibrate is how many pairs a temperature is fitted on at the least.
const leastToCalibrate = 50

// reported is the share of prompts that does not decide the temperature: it holds all that any smaller share holds out.
const reported = 0.5

// calibrate finds the temperature; nil where there are too few pairs.
func calibrate(pairs []knownPair) *Calibrated {
	var fit, report []knownPair
	for _, k := range pairs {
		if k.place.HeldOut(reported) {
			report = append(report, k)
		} else {
			fit = append(fit, k)
		}
	}
	if len(fit) < leastToCalibrate || len(report) < leastToCalibrate {
		return nil
	}
	c := &Calibrated{Temperature: temperature(fit), Fitted: len(fit), Reported: len(report)}
	c.ECE, c.Brier, c.Skill, c.Reliability = calibration(report, func(k knownPair) float64 { return tempered(k.odds, c.Temperature) })
	return c
}

// temperature is the one, from 1/64 to 64, at which the labels' log-likelihood is highest. That has one maximum in
// the temperature's inverse, so thirds are cut off from either side.
func temperature(pairs []knownPair) float64 {
	loss := func(log2 float64) float64 {
		sum := 0.0
		for _, k := range pairs {
			p := tempered(k.odds, math.Exp2(log2))
			if !k.first {
				p = 1 - p
			}
			sum -= math.Log(max(p, math.SmallestNonzeroFloat64))
		}
		return sum
	}
	lo, hi := -6.0, 6.0
	for hi-lo > 1e-4 {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if loss(a) <= loss(b) {
			hi = b
		} else {
			lo = a
		}
	}
	return math.Exp2((lo + hi) / 2)
}

// logOdds of a probability.
func logOdds(p float64) float64 {
	const edge = 1e-9 // those that are rounded to 0 or 1 have odds too
	p = min(max(p, edge), 1-edge)
	return math.Log(p / (1 - p))
}

// tempered is the probability at log-odds that are divided by a temperature.
func tempered(odds, temperature float64) float64 { return 1 / (1 + math.Exp(-odds/temperature)) }

const bins = 10

// calibration holds probabilities against what is true.
func calibration(pairs []knownPair, of func(knownPair) float64) (ece, brier, skill float64, reliability []Bin) {
	reliability = make([]Bin, bins)
	first, n := 0.0, float64(len(pairs))
	for _, k := range pairs {
		p, y := of(k), stats.Indicator[float64](k.first)
		brier += (p - y) * (p - y) / n
		first += y / n
		b := &reliability[min(bins-1, int(p*bins))]
		b.Pairs++
		b.P += p
		b.Share += y
	}
	for i := range reliability {
		b := &reliability[i]
		b.Low, b.High = float64(i)/bins, float64(i+1)/bins
		if b.Pairs > 0 {
			b.P /= float64(b.Pairs)
			b.Share /= float64(b.Pairs)
			ece += math.Abs(b.P-b.Share) * float64(b.Pairs) / n
		}
	}
	if base := first * (1 - first); base > 0 {
		skill = 1 - brier/base
	}
	return ece, brier, skill, reliability
}
