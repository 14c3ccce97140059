package stats

// resamples is how many samples of the clusters an interval draws.
const resamples = 1000

// Clusters are values that belong together in groups, such as the judgements of one prompt: those of a group are not
// independent, so intervals draw whole groups. The zero value is empty.
type Clusters struct {
	place map[string]int
	sums  []sums
}

type sums struct{ total, n float64 }

// Add takes a value of a group.
func (c *Clusters) Add(group string, value float64) {
	if c.place == nil {
		c.place = map[string]int{}
	}
	i, ok := c.place[group]
	if !ok {
		i = len(c.sums)
		c.place[group] = i
		c.sums = append(c.sums, sums{})
	}
	c.sums[i].total += value
	c.sums[i].n++
}

// Mean is the mean of all values, with the interval that drawing whole groups gives. It is zero where there are none.
func (c *Clusters) Mean() Interval {
	if len(c.sums) == 0 {
		return Interval{}
	}
	return Bootstrap(len(c.sums), resamples, 1, func(places []int) float64 {
		total, n := 0.0, 0.0
		for _, i := range places {
			total += c.sums[i].total
			n += c.sums[i].n
		}
		return total / n
	})
}

// Share is the mean of values from 0 to 1 as a share. Where all are 0, all are 1, or all of one group, drawing groups says
// nothing, and the interval is Wilson's of as many cases as there are groups.
func (c *Clusters) Share() Share {
	total, n := 0.0, 0.0
	for _, s := range c.sums {
		total += s.total
		n += s.n
	}
	s := NewShare(int(total), int(n)) // half values are rounded down in the count alone
	if n == 0 {
		return s
	}
	s.Share = total / n
	if total > 0 && total < n && len(c.sums) > 1 {
		i := c.Mean()
		s.Low, s.High = i.Low, i.High
	} else {
		s.Low, s.High = wilson(s.Share, float64(len(c.sums)))
	}
	return s
}
