package stats

import (
	"math/rand/v2"
	"slices"
)

// Interval is a figure with its 95 % interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Bootstrap gives the 95 % percentile interval (Efron 1979) of a statistic of n prompts. stat is called with places
// 0 … n−1, first each once, then drawn with replacement: a statistic of differences at the same places is a paired one.
// The seed decides the draws. n and resamples must be at least 1.
func Bootstrap(n, resamples int, seed uint64, stat func(places []int) float64) Interval {
	places := make([]int, n)
	for i := range places {
		places[i] = i
	}
	out := Interval{Value: stat(places)}
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, resamples)
	for i := range values {
		for j := range places {
			places[j] = r.IntN(n)
		}
		values[i] = stat(places)
	}
	slices.Sort(values)
	out.Low = values[int(0.025*float64(resamples))]
	out.High = values[min(resamples-1, int(0.975*float64(resamples)))]
	return out
}
