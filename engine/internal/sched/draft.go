package sched

import (
	"cmp"
	"slices"
)

// draftLengths are the lengths that are tried, and worthDraft how much faster a
// step with drafted tokens must promise to be: less is within what the costs were
// measured to.
var draftLengths = [...]int{1, 2, 3, 4, 5, 7, 9, 11, 15}

const worthDraft = 1.1

// drafts is how many drafted tokens each job gets in a decode step: those
// numbers, of the ones tried, that promise most tokens a second by the measured
// costs. For each length the jobs whose drafted tokens are likeliest right come first,
// and the first 1, 2, 4, … or all of them get drafted tokens. In streams unequal counts cost passes
// of their own, which are counted; so all jobs with equal counts are tried as
// well, where a job without that many drafted tokens is padded.
func (p *Planner) drafts(jobs []Job) []int {
	p.best = zeros(p.best, len(jobs))
	if p.Costs == nil || len(jobs) == 0 {
		return p.best
	}
	p.counts = zeros(p.counts, len(jobs))
	most := worthDraft * float64(len(jobs)) / p.cost(jobs, p.counts)
	budget := min(p.Batch, p.Outputs) - len(jobs)
	try := func(right float64) {
		if rate := (float64(len(jobs)) + right) / p.cost(jobs, p.counts); rate > most {
			most = rate
			copy(p.best, p.counts)
		}
	}
	for _, k := range draftLengths {
		p.rank(jobs, k)
		if p.order[0].accepted == 0 {
			break // none has a drafted token
		}
		p.counts = zeros(p.counts, len(jobs))
		left, right := budget, 0.0
		for i, r := range p.order {
			n := min(k, len(jobs[r.job].ExpectedAccepted), left)
			if n == 0 {
				break
			}
			p.counts[r.job] = n
			left -= n
			right += jobs[r.job].ExpectedAccepted[n-1]
			if i&(i+1) == 0 { // 1, 2, 4, 8, …
				try(right)
			}
		}
		try(right)
		if p.Streams && p.level(jobs, k, budget) {
			try(right)
		}
	}
	return p.best
}

// ranked is a job and how many of its drafted tokens will be right on average.
type ranked struct {
	job      int
	accepted float64
}

// rank sorts the jobs by what up to k drafted tokens of each promise.
func (p *Planner) rank(jobs []Job, k int) {
	p.order = p.order[:0]
	for i, j := range jobs {
		r := ranked{job: i}
		if n := min(k, len(j.ExpectedAccepted)); n > 0 {
			r.accepted = j.ExpectedAccepted[n-1]
		}
		p.order = append(p.order, r)
	}
	slices.SortStableFunc(p.order, func(a, b ranked) int { return cmp.Compare(b.accepted, a.accepted) })
}

// level gives all jobs k drafted tokens, and says whether there is room for them.
func (p *Planner) level(jobs []Job, k, budget int) bool {
	if k*len(jobs) > budget {
		return false
	}
	for i, j := range jobs {
		if k > j.Room {
			return false
		}
		p.counts[i] = k
	}
	return true
}

// cost is what a decode step takes in which each job has so many drafted tokens behind
// its token, in seconds: the passes that llama.cpp's split_equal makes of it, or
// the one that unified cells need.
func (p *Planner) cost(jobs []Job, guesses []int) float64 {
	if !p.Streams {
		tokens := len(jobs)
		for _, n := range guesses {
			tokens += n
		}
		return p.Costs.At(len(jobs), float64(tokens)/float64(len(jobs)))
	}
	p.left = p.left[:0]
	for _, n := range guesses {
		p.left = append(p.left, 1+n)
	}
	seconds := 0.0
	split(p.left, func(i int) int { return jobs[i].Seq }, func(from, to, tokens int) {
		seconds += p.Costs.At(to-from, float64(tokens))
	})
	return seconds
}

func zeros(s []int, n int) []int {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}
