// Package sched plans what goes into the next llama_decode: prefill chunks or
// one decode step, under one token budget. Plans depend on the jobs alone,
// never on the clock, so the same run gives the same batches.
//
// What a plan costs is passes over the weights, not calls. With unified cells
// a batch is one pass. With one stream a sequence a pass takes only sequences
// with consecutive ascending ids and equal token counts (llama.cpp's
// split_equal), so there a prefill is one such run, and a decode step as few as
// there are gaps, unless drafted tokens of unequal numbers promise more.
package sched

// Job is one active request as the planners see it.
type Job struct {
	Seq     int // its sequence
	Pending int // known tokens not yet in the cache, at least 1: a prompt's, or the one sampled last
	Wanted  int // of the pending tokens the last so many whose logits are wanted
	// Room is how many tokens its sequence may hold beyond the pending ones.
	Room int
	// ExpectedAccepted is what drafts behind the pending tokens promise: how many of the
	// first 1, 2, … will be right on average. There are as many drafted tokens.
	ExpectedAccepted []float64
}

// Chunk is the planned part of one job: how many of its pending tokens go into
// the step, and how many drafted tokens behind them.
type Chunk struct {
	Seq    int
	Tokens int
	Draft  int
}

// Planner makes plans for one context. It is not safe for concurrent use.
type Planner struct {
	Batch   int  // most tokens of a step
	Outputs int  // most tokens of a step whose logits are wanted
	Streams bool // each sequence has a stream of its own
	Costs   Costs

	plan []Chunk

	// Scratch of drafts, by job.
	best, counts, left []int
	order              []ranked
}

// Next plans a step: prompt chunks while any job has a prompt to compute, since
// a row that waits for its prompt leaves a hole in every decode step, else one
// decode step of all jobs. jobs are in ascending order of Seq. The plan is
// valid until the next call; it is empty only when there are no jobs.
func (p *Planner) Next(jobs []Job) (plan []Chunk, prefill bool) {
	p.plan = p.plan[:0]
	for _, j := range jobs {
		if j.Pending > 1 {
			p.prefill(jobs)
			return p.plan, true
		}
	}
	p.decode(jobs)
	return p.plan, false
}

// Passes calls visit for each pass over the weights that a plan takes, with the
// chunks that are computed in it: from, and up to but not with to.
func (p *Planner) Passes(plan []Chunk, visit func(from, to int)) {
	if !p.Streams {
		visit(0, len(plan))
		return
	}
	p.left = p.left[:0]
	for _, c := range plan {
		p.left = append(p.left, c.Tokens+c.Draft)
	}
	split(p.left, func(i int) int { return plan[i].Seq }, func(from, to, _ int) { visit(from, to) })
}

// split goes through the passes that llama.cpp's split_equal makes of sequences
// with so many tokens left each, and calls visit with the first, the one after
// the last, and the tokens of each. left is zero after.
func split(left []int, seq func(i int) int, visit func(from, to, tokens int)) {
	for i := 0; i < len(left); {
		if left[i] == 0 {
			i++
			continue
		}
		n, end := left[i], i+1
		for ; end < len(left) && left[end] > 0 && seq(end) == seq(end-1)+1; end++ {
			n = min(n, left[end])
		}
		for k := i; k < end; k++ {
			left[k] -= n
		}
		visit(i, end, n)
	}
}

// prefill takes prompts until the budget is full. A prompt longer than what is
// left is cut, the rest waits. The last token of a prompt yields logits, so a
// job whose chunk completes it samples its first token in this step.
func (p *Planner) prefill(jobs []Job) {
	if p.Streams {
		p.prefillRun(jobs)
		return
	}
	budget := p.Batch
	for _, j := range jobs {
		if j.Pending > 1 && budget > 0 {
			n := min(p.chunk(j, len(jobs)), budget)
			p.plan = append(p.plan, Chunk{Seq: j.Seq, Tokens: n})
			budget -= n
		}
	}
}

// prefillRun plans one pass: the first run of neighbours that have prompts to
// compute, as many tokens of each as the shortest has. Each pass completes at
// least one prompt or fills the budget, so there are never more passes than
// prompts and full batches, and as few as there are different lengths where
// neighbours' are alike.
func (p *Planner) prefillRun(jobs []Job) {
	start := 0
	for jobs[start].Pending == 1 {
		start++
	}
	count := p.chunk(jobs[start], len(jobs))
	end := start + 1
	for end < len(jobs) && jobs[end].Pending > 1 && jobs[end].Seq == jobs[end-1].Seq+1 {
		shorter := min(count, p.chunk(jobs[end], len(jobs)))
		if (end-start+1)*shorter > p.Batch {
			break
		}
		count = shorter
		end++
	}
	count = min(count, p.Batch)
	for _, j := range jobs[start:end] {
		p.plan = append(p.plan, Chunk{Seq: j.Seq, Tokens: count})
	}
}

// chunk is the most tokens of a job, among n, that one step can take: its share
// of the outputs bounds the tokens whose logits are wanted.
func (p *Planner) chunk(j Job, n int) int {
	return min(j.Pending, j.Pending-j.Wanted+p.Outputs/n)
}

// decode plans the next token of every job, as far as the budget goes, with
// drafted tokens behind them where those pay.
func (p *Planner) decode(jobs []Job) {
	jobs = jobs[:min(len(jobs), p.Batch, p.Outputs)]
	for i, n := range p.drafts(jobs) {
		p.plan = append(p.plan, Chunk{Seq: jobs[i].Seq, Tokens: 1, Draft: n})
	}
}
