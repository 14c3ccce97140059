package sched

import "math"

// draftLengths are the lengths that are tried, and worthDraft how much faster a
// step with guesses must promise to be: less is within what the costs were
// measured to.
var draftLengths = [...]int{1, 2, 3, 4, 5, 7, 9, 11, 15}

const worthDraft = 1.05

// draft is how many guessed tokens the jobs get in a decode step: the number
// that promises most tokens a second by the measured costs. In streams all jobs
// get as many, since unequal counts would cost passes; a job without that many
// guesses of its own is padded, and its padding counts as never right.
func (p *Planner) draft(jobs []Job) int {
	if p.Costs == nil || len(jobs) == 0 {
		return 0
	}
	room := jobs[0].Room
	for _, j := range jobs {
		room = min(room, j.Room)
	}
	best, bestRate := 0, worthDraft*float64(len(jobs))/p.Costs.At(len(jobs), 1)
	for _, k := range draftLengths {
		if len(jobs)*(1+k) > min(p.Batch, p.Outputs) || (p.Streams && k > room) {
			break
		}
		tokens, computed := 0.0, 0
		for _, j := range jobs {
			n := min(k, j.Draft)
			tokens += 1 + expected(j.Accept, n)
			computed += 1 + n
		}
		perJob := float64(1 + k)
		if !p.Streams {
			perJob = float64(computed) / float64(len(jobs))
		}
		if rate := tokens / p.Costs.At(len(jobs), perJob); rate > bestRate {
			best, bestRate = k, rate
		}
	}
	return best
}

// expected is how many of n guesses in a row will be right when each is with
// probability a after the one before was.
func expected(a float64, n int) float64 {
	if a >= 1 {
		return float64(n)
	}
	return a * (1 - math.Pow(a, float64(n))) / (1 - a)
}
