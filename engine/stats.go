package engine

import (
	"time"

	"amend/engine/internal/sched"
)

// Stats counts an engine's work since New. Times are of the steps alone; they
// are reported, never used to decide anything.
type Stats struct {
	Prefilled   int // prompt tokens computed, pinned prefixes included
	Reused      int // prompt tokens found in the KV cache
	Decoded     int // tokens sampled
	Steps       int // decode steps
	StepTokens  int // tokens computed in decode steps: all but each turn's first come from one
	Preempted   int // turns put back because the cache had no room
	PrefillTime time.Duration
	DecodeTime  time.Duration
}

// Use is what an engine holds at a moment.
type Use struct {
	Active, Waiting  int // turns
	Cells, CellLimit int // KV cells in use, and how many there are
}

// Stats returns the counts so far.
func (e *Engine) Stats() Stats { return e.stats }

// Use returns what is in use now.
func (e *Engine) Use() Use {
	return Use{
		Active: len(e.active), Waiting: len(e.waiting),
		Cells: e.tree.Cells(e.limits.Unified), CellLimit: e.limits.Cells,
	}
}

// timed runs one step and counts it as prefill or decode. A plan is of one
// kind: the planner never mixes them.
func (e *Engine) timed(plan []sched.Chunk, step func() error) error {
	if t := e.active[plan[0].Seq]; t.inPrefill(e.tree.Computed(t.seq)) {
		tokens := 0
		for _, c := range plan {
			tokens += c.Tokens
		}
		return e.timedPrefill(tokens, step)
	}
	start := time.Now()
	err := step()
	e.stats.DecodeTime += time.Since(start)
	e.stats.Steps++
	e.stats.StepTokens += len(plan)
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
