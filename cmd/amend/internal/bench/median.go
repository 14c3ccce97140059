package bench

import "slices"

// median is the middle one of some things, the lower one of two.
func median[T any](of []T, compare func(a, b T) int) T {
	return slices.SortedStableFunc(slices.Values(of), compare)[(len(of)-1)/2]
}
