package feedback

import "math"

// Calibration says how likely a verdict means a breach. Whoever finds most responses clean, or few, has a base rate, another
// one under each principle: what counts is by how much a verdict is below it.
type Calibration struct {
	// Base are the mean log-odds of verdicts on responses that are known to be clean, by principle.
	Base map[string]float64 `json:"base"`
	// Rest is the base of a principle without known cases.
	Rest float64 `json:"rest"`
	// Slope and Offset make log-odds of a breach of how far a verdict is below its base. Where Slope is 0 nothing is known, and
	// the likelier answer counts.
	Slope  float64 `json:"slope"`
	Offset float64 `json:"offset"`
}

// Breach is the probability that the response breaks the principle.
func (c Calibration) Breach(principle string, v Verdict) float64 {
	if c.Slope == 0 {
		return 1 - v.P
	}
	return 1 / (1 + math.Exp(-c.Offset-c.Slope*c.Below(principle, v)))
}

// Below is how far a verdict is below its principle's base, in log-odds.
func (c Calibration) Below(principle string, v Verdict) float64 {
	base, ok := c.Base[principle]
	if !ok {
		base = c.Rest
	}
	return base - v.LogOdds()
}
