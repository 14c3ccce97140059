package stats

// Indicator is 1 where something holds, and else 0: what is summed to count it.
func Indicator[T int | float64](holds bool) T {
	if holds {
		return 1
	}
	return 0
}
