// Package sched plans what goes into the next llama_decode: prefill chunks or
// one decode step, under one token budget. Plans depend on the jobs alone,
// never on the clock, so the same run gives the same batches.
package sched

import (
	"cmp"
	"slices"
)

// Job is one active request as the planners see it.
type Job struct {
	Seq     int // its sequence
	Prefill int // prompt tokens not yet in the cache; 0 when it decodes
}

// Chunk is the planned part of one job: how many of its next tokens go into
// the step.
type Chunk struct {
	Seq    int
	Tokens int
}

// Prefill plans prompt tokens, in ascending order of sequence, until the
// budget is full. A prompt longer than what is left is cut into chunks, the
// rest waits for the next step. The last prompt token of a job yields logits,
// so a job whose chunk completes it samples its first token in this step.
// Without jobs in prefill the plan is empty.
//
// Ascending order matters with one stream a sequence: llama.cpp then puts
// neighbours with equal counts into one pass over the weights.
func Prefill(jobs []Job, budget int) []Chunk {
	var plan []Chunk
	for _, j := range bySeq(jobs) {
		if j.Prefill == 0 || budget == 0 {
			continue
		}
		n := min(j.Prefill, budget)
		plan = append(plan, Chunk{Seq: j.Seq, Tokens: n})
		budget -= n
	}
	return plan
}

// Decode plans one token for every job that is past its prefill, in ascending
// order of sequence, at most budget of them.
func Decode(jobs []Job, budget int) []Chunk {
	var plan []Chunk
	for _, j := range bySeq(jobs) {
		if j.Prefill > 0 || budget == 0 {
			continue
		}
		plan = append(plan, Chunk{Seq: j.Seq, Tokens: 1})
		budget--
	}
	return plan
}

// Next is the policy: prefill first, since a row that waits for its prompt
// leaves a hole in every decode step, then decode.
func Next(jobs []Job, budget int) []Chunk {
	if plan := Prefill(jobs, budget); len(plan) > 0 {
		return plan
	}
	return Decode(jobs, budget)
}

func bySeq(jobs []Job) []Job {
	return slices.SortedFunc(slices.Values(jobs), func(a, b Job) int { return cmp.Compare(a.Seq, b.Seq) })
}
