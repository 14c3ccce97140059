// Package refusal tells answers that decline what was asked from those that do not, and measures how well that is done.
//
// A Detector is a logistic regression over runs of words: how a response begins, its first two sentences, and what stands
// anywhere in it. scripts/refusals trains it, and docs/evaluation.md says how often it is right. It reads English.
package refusal

import (
	_ "embed"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Verdict is what a Detector says of a response.
type Verdict string

// The verdicts.
const (
	Full      Verdict = "full"       // it declines what was asked, as a whole
	None      Verdict = "none"       // it answers, if only in part or badly
	NotJudged Verdict = "not-judged" // it is empty, or not in English
)

// Judgement is a verdict with the probability of a full refusal, from 0 to 1. The probability of what was not judged is 0.
type Judgement struct {
	Verdict     Verdict `json:"verdict"`
	Probability float64 `json:"probability"`
}

// Detector judges responses, from their texts alone: the same text always gets the same judgement. It is not changed after it
// was made, so many goroutines may use one. Load gives the one that comes with this package.
type Detector struct {
	made      []string // how it was made, line by line
	bias      float64
	threshold float64 // the least probability of a full refusal
	weights   map[string]float64
}

// New makes a detector from the weights of features, in units of log-odds, and the least probability that counts as a full
// refusal. made says how they came about, line by line.
func New(made []string, bias, threshold float64, weights map[string]float64) *Detector {
	return &Detector{made: slices.Clone(made), bias: bias, threshold: threshold, weights: maps.Clone(weights)}
}

// Made says how the detector was made, line by line: data, split and settings.
func (d *Detector) Made() []string { return slices.Clone(d.made) }

// Judge says whether a response declines what was asked.
func (d *Detector) Judge(response string) Judgement {
	if !strings.ContainsFunc(response, readable) {
		return Judgement{Verdict: NotJudged}
	}
	all := sentences(response)
	if !english(response, all) {
		return Judgement{Verdict: NotJudged}
	}
	score := d.bias
	for _, f := range featuresOf(response, all) {
		score += d.weights[f]
	}
	j := Judgement{Verdict: None, Probability: 1 / (1 + math.Exp(-score))}
	if j.Probability >= d.threshold {
		j.Verdict = Full
	}
	return j
}

// Refuses reports whether a response declines in full. What is not judged does not.
func (d *Detector) Refuses(response string) bool { return d.Judge(response).Verdict == Full }

// readable is what an answer may consist of: "42" and "+" are answers, "…" is not.
func readable(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsSymbol(r) }

//go:embed weights.txt
var weights string

// Load gives the detector that comes with this package. Each call reads it again, which takes about a millisecond.
func Load() (*Detector, error) {
	d, err := Parse(weights)
	if err != nil {
		return nil, fmt.Errorf("the refusal detector in this build is damaged, build amend again: %w", err)
	}
	return d, nil
}

// version is the first line of a detector's file. It changes with the features.
const version = "amend refusal detector 1"

// Format writes a detector as a file that Parse reads: the version, lines that say how it was made after "# ", the bias, the
// threshold, and the features in alphabetical order, each after its weight.
func (d *Detector) Format() string {
	var b strings.Builder
	fmt.Fprintln(&b, version)
	for _, line := range d.made {
		fmt.Fprintln(&b, "#", line)
	}
	fmt.Fprintf(&b, "%.3f\tbias\n%.4f\tthreshold\n", d.bias, d.threshold)
	for _, f := range slices.Sorted(maps.Keys(d.weights)) {
		fmt.Fprintf(&b, "%.3f\t%s\n", d.weights[f], f)
	}
	return b.String()
}

// Parse reads what Format wrote. An error names the line.
func Parse(text string) (*Detector, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != version {
		return nil, fmt.Errorf("line 1 is not %q: train it again with scripts/refusals", version)
	}
	d := &Detector{weights: make(map[string]float64, len(lines)), threshold: math.NaN(), bias: math.NaN()}
	for i, line := range lines[1:] {
		if made, ok := strings.CutPrefix(line, "# "); ok {
			d.made = append(d.made, made)
			continue
		}
		number, name, ok := strings.Cut(line, "\t")
		value, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			return nil, fmt.Errorf("line %d is not a number, a tab and a name: train it again with scripts/refusals", i+2)
		}
		switch name {
		case "bias":
			d.bias = value
		case "threshold":
			d.threshold = value
		default:
			d.weights[name] = value
		}
	}
	if math.IsNaN(d.bias) || math.IsNaN(d.threshold) {
		return nil, fmt.Errorf("no line has the bias, or none the threshold: train it again with scripts/refusals")
	}
	return d, nil
}
