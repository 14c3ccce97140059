package feedback

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"amend/engine/measure"
)

// Known is what labels are worth by what is known of the pairs. Pairs without a better response are left out. Intervals
// are of 95 %; those of differences are drawn by prompt.
type Known struct {
	Decided    int        `json:"decided"` // labelled pairs of which one response is known to be the better one
	Accuracy   float64    `json:"accuracy"`
	AccuracyCI [2]float64 `json:"accuracy_ci"`
	// ECE is the expected calibration error: how far the judge's probabilities are from the shares in which they turn
	// out true, in the mean over ten bins (Naeini et al. 2015). Brier is the mean squared error of the probabilities, Skill how
	// much of the base rate's error they remove.
	ECE         float64 `json:"ece"`
	Brier       float64 `json:"brier"`
	Skill       float64 `json:"brier_skill"`
	Reliability []Bin   `json:"reliability"`
	// Calibrated is the same behind a temperature, where there are pairs enough to find one.
	Calibrated *Calibrated `json:"calibrated,omitempty"`
	// Longer and Shorter are the accuracy where the better response is the longer one, and the shorter one.
	Longer  measure.Share `json:"accuracy_longer"`
	Shorter measure.Share `json:"accuracy_shorter"`
	Orders  Orders        `json:"orders"`
	// Agreeing is the accuracy where all judgements of a pair prefer the same response, Divided where they do not: what can be
	// said of a label without knowing the truth.
	Agreeing measure.Share `json:"accuracy_agreeing"`
	Divided  measure.Share `json:"accuracy_divided"`
}

// Orders compares one order with both, over all decided pairs and over the half with the smaller margins.
type Orders struct {
	One   measure.Interval `json:"one"`  // accuracy of a single order, in the mean of the two
	Both  measure.Interval `json:"both"` // of their average
	Gain  measure.Interval `json:"gain"`
	Small Gain             `json:"small_margins"`
}

// Gain is what averaging both orders adds to accuracy in some pairs.
type Gain struct {
	Pairs int              `json:"pairs"`
	Gain  measure.Interval `json:"gain"`
}

// Bin is the labels whose probability lies in a tenth.
type Bin struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Pairs int     `json:"pairs"`
	P     float64 `json:"p"`     // mean probability that one of the two responses is better, which one follows from the pair's id
	Share float64 `json:"share"` // in which it is
}

// resamples is how often intervals draw anew.
const resamples = 1000

// knownPair is a labelled pair of which one response is known to be better.
type knownPair struct {
	prompt         string
	first          bool // the first response is the better one
	p              float64
	orders         [2]float64 // mean over principles, in the pair's order and in the other
	agree          bool
	longer, equals bool // the better response is longer; both are as long
}

func newKnownPair(in Pair, l Label, first bool) knownPair {
	k := knownPair{first: first, p: *l.P, agree: true}
	k.prompt = Pair{Messages: in.Messages}.Hash()
	n := 0.0
	for _, p := range l.under {
		n++
		for i := range p {
			k.orders[i] += p[i]
			k.agree = k.agree && (p[i] > 0.5) == (k.p > 0.5)
		}
	}
	k.orders[0] /= n
	k.orders[1] /= n
	a, b := utf8.RuneCountInString(in.First), utf8.RuneCountInString(in.Second)
	k.longer, k.equals = (a > b) == first, a == b
	if PairSeed(0, in.ID)%2 == 1 {
		k.turn()
	}
	return k
}

// turn exchanges the two responses. Every other pair is turned: where the better one always came first, as in a preference
// set, nothing could be said of how well probabilities are calibrated.
func (k *knownPair) turn() {
	k.first, k.p = !k.first, 1-k.p
	k.orders = [2]float64{1 - k.orders[1], 1 - k.orders[0]}
}

// right reports whether a probability says what is true.
func (k knownPair) right(p float64) bool { return (p > 0.5) == k.first }

// one is the accuracy of a single order, in the mean of the two.
func (k knownPair) one() float64 {
	return (number(k.right(k.orders[0])) + number(k.right(k.orders[1]))) / 2
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func newKnown(pairs []knownPair) *Known {
	out := &Known{Decided: len(pairs)}
	both := func(k knownPair) float64 { return number(k.right(k.p)) }
	accuracy := byPrompt(pairs, both)
	out.Accuracy, out.AccuracyCI = accuracy.Value, [2]float64{accuracy.Low, accuracy.High}
	out.ECE, out.Brier, out.Skill, out.Reliability = calibration(pairs, 1)
	out.Calibrated = calibrate(pairs)
	var longer, shorter, agreeing, divided count
	for _, k := range pairs {
		switch {
		case k.equals:
		case k.longer:
			longer.add(k.right(k.p))
		default:
			shorter.add(k.right(k.p))
		}
		if k.agree {
			agreeing.add(k.right(k.p))
		} else {
			divided.add(k.right(k.p))
		}
	}
	out.Longer, out.Shorter, out.Agreeing, out.Divided = longer.share(), shorter.share(), agreeing.share(), divided.share()
	gain := func(k knownPair) float64 { return both(k) - k.one() }
	out.Orders = Orders{One: byPrompt(pairs, knownPair.one), Both: accuracy, Gain: byPrompt(pairs, gain)}
	small := smallMargins(pairs)
	out.Orders.Small = Gain{len(small), byPrompt(small, gain)}
	return out
}

// smallMargins is the half of the pairs about which the judge is the least sure.
func smallMargins(pairs []knownPair) []knownPair {
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b knownPair) int { return cmp.Compare(math.Abs(a.p-0.5), math.Abs(b.p-0.5)) })
	return sorted[:(len(sorted)+1)/2]
}

// byPrompt is the mean of something over pairs, with an interval that draws whole prompts: pairs of one prompt are not
// independent.
func byPrompt(pairs []knownPair, of func(knownPair) float64) measure.Interval {
	type sums struct{ total, n float64 }
	place := map[string]int{}
	var prompts []sums
	for _, k := range pairs {
		i, ok := place[k.prompt]
		if !ok {
			i = len(prompts)
			place[k.prompt] = i
			prompts = append(prompts, sums{})
		}
		prompts[i].total += of(k)
		prompts[i].n++
	}
	return measure.Bootstrap(len(prompts), resamples, 1, func(places []int) float64 {
		total, n := 0.0, 0.0
		for _, i := range places {
			total += prompts[i].total
			n += prompts[i].n
		}
		return total / n
	})
}
