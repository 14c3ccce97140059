package feedback

import (
	"cmp"
	"math"
	"slices"
	"unicode/utf8"

	"amend/engine/chat"
	"amend/engine/digest"
	"amend/engine/split"
	"amend/engine/stats"
)

// Known is what labels are worth by what is known of the pairs. Pairs without a better response are left out. Intervals
// are of 95 %; those of differences are drawn by prompt.
type Known struct {
	Decided    int        `json:"decided"` // labelled pairs of which one response is known to be the better one
	Accuracy   float64    `json:"accuracy"`
	AccuracyCI [2]float64 `json:"accuracy_ci"`
	// ECE is the expected calibration error: how far the judge's probabilities are from the shares in which they turn
	// out true, in the mean over ten bins (Naeini et al. 2015). Brier is the mean squared error of the probabilities, Skill how
	// much of the base rate's error they remove: 0 where it has none, as one side is better in all pairs.
	ECE         float64 `json:"ece"`
	Brier       float64 `json:"brier"`
	Skill       float64 `json:"brier_skill"`
	Reliability []Bin   `json:"reliability"`
	// Calibrated is the same of log-odds behind a temperature, where there are pairs enough to find one.
	Calibrated *Calibrated `json:"calibrated,omitempty"`
	// Longer and Shorter are the accuracy where the better response is the longer one, and the shorter one.
	Longer  stats.Share `json:"accuracy_longer"`
	Shorter stats.Share `json:"accuracy_shorter"`
	// Orders is what both orders are worth beside one, OfPrinciples what all principles of a pair are worth beside one of them.
	Orders       Averaged `json:"orders"`
	OfPrinciples Averaged `json:"principles_averaged"`
	// Agreeing is the accuracy where all judgements of a pair prefer the same response, Divided where they do not: what can be
	// said of a label without knowing the truth.
	Agreeing stats.Share `json:"accuracy_agreeing"`
	Divided  stats.Share `json:"accuracy_divided"`
	// Tags are the accuracies over pairs whose rows have a tag, by tag; a pair with two tags counts for either.
	Tags []TagAccuracy `json:"tags,omitempty"`
}

// TagAccuracy is the accuracy of labels over the pairs with a tag.
type TagAccuracy struct {
	Tag      string      `json:"tag"`
	Accuracy stats.Share `json:"accuracy"`
}

// Averaged compares one answer of the judge's with the mean of several, over all decided pairs and over the half with the smaller
// margins.
type Averaged struct {
	One   stats.Share    `json:"one"`  // accuracy of a single one, in the mean over them
	Gain  stats.Interval `json:"gain"` // of the label, the average of all, over that
	Small Gain           `json:"small_margins"`
}

// Gain is what averaging adds to accuracy in some pairs.
type Gain struct {
	Pairs int            `json:"pairs"`
	Gain  stats.Interval `json:"gain"`
}

// Bin is the labels whose probability lies in a tenth.
type Bin struct {
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Pairs int     `json:"pairs"`
	P     float64 `json:"p"`     // mean probability that one of the two responses is better, which one follows from the pair's id
	Share float64 `json:"share"` // in which it is
}

// knownPair is a labelled pair of which one response is known to be better.
type knownPair struct {
	prompt         string
	tags           []string
	place          split.Place // of the prompt
	first          bool        // the first response is the better one
	p              float64
	orders         []float64 // mean over principles, in the pair's order and in the other
	principles     []float64 // mean over both orders, under each
	odds           float64   // the mean log-odds of the first response, over all judgements
	agree          bool
	longer, equals bool // the better response is longer; both are as long
}

func newKnownPair(in Pair, l Label, first bool) knownPair {
	k := knownPair{prompt: in.prompt(), tags: in.Attributes.Tags, place: split.Of(chat.Texts(in.Messages)), first: first, p: *l.P, orders: make([]float64, 2), agree: true}
	for _, p := range l.under {
		k.principles = append(k.principles, (p[0]+p[1])/2)
		for i := range p {
			k.orders[i] += p[i]
			k.odds += logOdds(p[i])
			k.agree = k.agree && (p[i]-0.5)*(k.p-0.5) > 0
		}
	}
	n := float64(len(k.principles))
	k.orders[0] /= n
	k.orders[1] /= n
	k.odds /= 2 * n
	a, b := utf8.RuneCountInString(in.First), utf8.RuneCountInString(in.Second)
	k.longer, k.equals = (a > b) == first, a == b
	if digest.PairSeed(0, in.ID)%2 == 1 {
		k.turn()
	}
	return k
}

// turn exchanges the two responses. Every other pair is turned: where the better one always came first, as in a preference
// set, nothing could be said of how well probabilities are calibrated.
func (k *knownPair) turn() {
	k.first, k.p, k.odds = !k.first, 1-k.p, -k.odds
	k.orders = []float64{1 - k.orders[1], 1 - k.orders[0]}
	for i, p := range k.principles {
		k.principles[i] = 1 - p
	}
}

// right is how far a probability says what is true.
func (k knownPair) right(p float64) float64 { return credit(p, k.first) }

// one is the accuracy of a single answer, in the mean over some.
func (k knownPair) one(of []float64) (sum float64) {
	for _, p := range of {
		sum += k.right(p) / float64(len(of))
	}
	return sum
}

func newKnown(pairs []knownPair) *Known {
	out := &Known{Decided: len(pairs)}
	both := func(k knownPair) float64 { return k.right(k.p) }
	accuracy := share(pairs, both, all)
	out.Accuracy, out.AccuracyCI = accuracy.Share, [2]float64{accuracy.Low, accuracy.High}
	out.ECE, out.Brier, out.Skill, out.Reliability = calibration(pairs, func(k knownPair) float64 { return k.p })
	out.Calibrated = calibrate(pairs)
	out.Longer = share(pairs, both, func(k knownPair) bool { return !k.equals && k.longer })
	out.Shorter = share(pairs, both, func(k knownPair) bool { return !k.equals && !k.longer })
	out.Agreeing = share(pairs, both, func(k knownPair) bool { return k.agree })
	out.Divided = share(pairs, both, func(k knownPair) bool { return !k.agree })
	out.Orders = averaged(pairs, func(k knownPair) []float64 { return k.orders })
	out.OfPrinciples = averaged(pairs, func(k knownPair) []float64 { return k.principles })
	for _, tag := range tagsOf(pairs) {
		out.Tags = append(out.Tags, TagAccuracy{tag, share(pairs, both, func(k knownPair) bool { return slices.Contains(k.tags, tag) })})
	}
	return out
}

// tagsOf are the tags of pairs, each once, in order.
func tagsOf(pairs []knownPair) (tags []string) {
	for _, k := range pairs {
		tags = append(tags, k.tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// averaged compares labels with the single answers that they are the mean of.
func averaged(pairs []knownPair, of func(knownPair) []float64) Averaged {
	one := func(k knownPair) float64 { return k.one(of(k)) }
	gain := func(k knownPair) float64 { return k.right(k.p) - one(k) }
	small := smallMargins(pairs)
	return Averaged{One: share(pairs, one, all), Gain: mean(pairs, gain), Small: Gain{len(small), mean(small, gain)}}
}

func all(knownPair) bool { return true }

// share is that of the pairs that are meant, grouped by prompt.
func share(pairs []knownPair, of func(knownPair) float64, meant func(knownPair) bool) stats.Share {
	var c stats.Clusters
	for _, k := range pairs {
		if meant(k) {
			c.Add(k.prompt, of(k))
		}
	}
	return c.Share()
}

// mean is that of some value over pairs, grouped by prompt.
func mean(pairs []knownPair, of func(knownPair) float64) stats.Interval {
	var c stats.Clusters
	for _, k := range pairs {
		c.Add(k.prompt, of(k))
	}
	return c.Mean()
}

// smallMargins is the half of the pairs about which the judge is the least sure.
func smallMargins(pairs []knownPair) []knownPair {
	sorted := slices.Clone(pairs)
	slices.SortStableFunc(sorted, func(a, b knownPair) int { return cmp.Compare(math.Abs(a.p-0.5), math.Abs(b.p-0.5)) })
	return sorted[:(len(sorted)+1)/2]
}
