package engine

import (
	"time"

	"amend/engine/internal/sched"
)

// Stats counts an engine's work since New. Times are of the steps alone; they
// are reported, never used to decide anything.
type Stats struct {
	Prefilled  int // prompt tokens computed, pinned prefixes included
	Reused     int // prompt tokens found in the KV cache
	Decoded    int // tokens sampled
	Steps      int // decode steps
	StepTokens int // tokens sampled in decode steps: all but each turn's first
	Drafted    int // tokens tried before they were sampled, padding included
	Accepted   int // of these, right
	Forced     int // tokens that a grammar left no choice about
	Scored     int // options given log-probs
	Moved      int // turns moved to keep active sequences next to each other
	Preempted  int // turns put back because the cache had no room
	// KVRead is how many cells steps read, a cell being the keys and values of a
	// token in all layers; KVWhole how many it would have been, had each sequence
	// held all that it attends to.
	KVRead, KVWhole int
	PrefillTime     time.Duration
	DecodeTime      time.Duration
	RunTime         time.Duration // of Run: what is neither prefill nor decode is amend's own
}

// Usage is what an engine holds at a moment.
type Usage struct {
	Active, Waiting  int // turns
	Cells, CellLimit int // KV cells in use, and how many there are
}

// Stats returns the counts so far.
func (e *Engine) Stats() Stats { return e.stats }

// Usage returns what is in use now.
func (e *Engine) Usage() Usage {
	cells := e.tree.Cells(e.limits.Unified)
	for _, n := range e.reads {
		cells -= n // read, and held once, where it is pinned
	}
	return Usage{Active: e.running, Waiting: len(e.waiting), Cells: cells, CellLimit: e.limits.Cells}
}

// timed runs one step and counts it as prefill or decode. A plan is of one
// kind: the planner never mixes them.
func (e *Engine) timed(prefill bool, step func() error) error {
	start := time.Now()
	err := step()
	if took := time.Since(start); prefill {
		e.stats.PrefillTime += took
	} else {
		e.stats.DecodeTime += took
		e.stats.Steps++
	}
	return err
}

func (e *Engine) timedPrefill(tokens int, step func() error) error {
	start := time.Now()
	err := step()
	e.stats.PrefillTime += time.Since(start)
	if err == nil {
		e.stats.Prefilled += tokens
	}
	return err
}

// countReads counts the cells that the passes of a plan read: in each pass what
// its sequences hold, and once the prefix that any of them reads without.
func (e *Engine) countReads(plan []sched.Chunk) {
	if e.limits.Unified {
		n := e.tree.Cells(true)
		e.stats.KVRead += n
		e.stats.KVWhole += n
		return
	}
	e.planner.Passes(plan, func(from, to int) {
		shared := 0
		for _, c := range plan[from:to] {
			whole := e.tree.Computed(c.Seq) + c.Tokens + c.Draft
			e.stats.KVWhole += whole
			e.stats.KVRead += whole - e.reads[c.Seq]
			shared = max(shared, e.reads[c.Seq])
		}
		e.stats.KVRead += shared
	})
}
