package selftest

import "math"

// Score is how often a judge is right in known cases, and what follows from it.
type Score struct {
	Of    int `json:"of"`    // cases that there are
	Cases int `json:"cases"` // that were asked, two questions each: some of them are enough for a good judge, and for a bad one
	// Agreed are the cases in which the answers to both questions go together, and Right those of Agreed in which they are right.
	// Of a pair both orders prefer the same response. Of two verdicts one is clean and one is breach.
	Agreed  int `json:"agreed"`
	Right   int `json:"right"`
	Invalid int `json:"invalid"` // answers other than the two that are asked for
	// P is the probability that one who guesses is right at least as often: of Agreed answers, by a fair coin.
	P       float64 `json:"p"`
	Verdict Verdict `json:"verdict"`
}

// Verdict says whether a judge can be trusted.
type Verdict string

// The verdicts.
const (
	Passed Verdict = "passed"
	Failed Verdict = "failed"
	TooFew Verdict = "untested" // too few cases to pass, however good the judge is
)

// looks are when it is looked at how a judge does: after a third of the cases, two thirds, and all of them. It passes with a P
// below pass. Together the three let one that guesses pass in less than 1 % of all tests. It fails before the last look with a
// P above fail: to read the other cases would only take time.
func looks() [3]struct{ pass, fail float64 } {
	return [3]struct{ pass, fail float64 }{{0.0005, 0.5}, {0.0015, 0.25}, {0.007, 0.007}}
}

// parts are the numbers of cases at each look.
func parts(n int) [3]int { return [3]int{(n + 2) / 3, (2*n + 2) / 3, n} }

// look is the one that Cases are asked at.
func (r Score) look() struct{ pass, fail float64 } {
	for i, n := range parts(r.Of) {
		if r.Cases <= n {
			return looks()[i]
		}
	}
	return looks()[2]
}

// settle decides by what was counted, and reports whether that is the end.
func (r *Score) settle() (done bool) {
	look := r.look()
	r.P, r.Verdict = AtLeast(r.Right, r.Agreed), Failed
	switch {
	case AtLeast(r.Of, r.Of) >= looks()[2].pass:
		r.Verdict = TooFew
		return r.Cases == r.Of
	case r.P < look.pass:
		r.Verdict = Passed
	}
	return r.Verdict == Passed || r.P > look.fail || r.Cases == r.Of
}

// AtLeast is the probability that at least right of n fair coins show heads.
func AtLeast(right, n int) float64 {
	sum := 0.0
	for k := right; k <= n; k++ {
		sum += math.Exp(logChoose(n, k) - float64(n)*math.Ln2)
	}
	return min(1, sum)
}

func logChoose(n, k int) float64 {
	f := func(x int) float64 { v, _ := math.Lgamma(float64(x + 1)); return v }
	return f(n) - f(k) - f(n-k)
}
