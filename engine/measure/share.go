// Package measure has figures with their intervals: shares, and statistics by bootstrap.
package measure

import "math"

// Share is a count out of a total with its 95 % interval (Wilson 1927).
type Share struct {
	Count int     `json:"count"`
	Of    int     `json:"of"`
	Share float64 `json:"share"` // 0 where Of is 0
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// z is the standard normal's quantile of a two-sided 95 % interval.
const z = 1.959964

// NewShare makes the share of n cases in which something holds.
func NewShare(count, of int) Share {
	s := Share{Count: count, Of: of, High: 1}
	if of == 0 {
		return s
	}
	n := float64(of)
	s.Share = float64(count) / n
	middle := (s.Share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(s.Share*(1-s.Share)/n+z*z/(4*n*n))
	s.Low, s.High = max(0, middle-half), min(1, middle+half)
	return s
}
