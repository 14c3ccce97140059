// Package stats has figures with their intervals: shares, and statistics by bootstrap.
package stats

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
	s.Share = float64(count) / float64(of)
	s.Low, s.High = wilson(s.Share, float64(of))
	return s
}

// wilson is the interval of a share of n cases.
func wilson(share, n float64) (low, high float64) {
	middle := (share + z*z/(2*n)) / (1 + z*z/n)
	half := z / (1 + z*z/n) * math.Sqrt(share*(1-share)/n+z*z/(4*n*n))
	return max(0, middle-half), min(1, middle+half)
}
