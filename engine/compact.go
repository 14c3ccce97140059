package engine

// compact moves the highest turn into a gap between active sequences. With one
// stream a sequence, llama.cpp computes only neighbours in one pass over the
// weights, so a row that ended leaves a gap that costs every step a pass. A
// move costs one copy of a stream. While turns wait nothing is moved: one of
// them fills the gap, and may go on from what lies there.
func (e *Engine) compact() {
	if e.limits.Unified || len(e.waiting) > 0 {
		return
	}
	gap, highest := e.gap()
	if gap < 0 {
		return
	}
	t := e.active[highest]
	computed := e.tree.Computed(highest)
	e.clear(gap)
	if computed > 0 && !e.backend.Copy(highest, gap, computed) {
		return // a memory that cannot be copied: the gap stays
	}
	e.tree.Fork(highest, gap, computed)
	e.reads[gap] = e.reads[highest]
	for pos := computed; pos < t.length(); pos++ {
		e.tree.Append(gap, t.at(pos))
	}
	e.tree.Lock(gap)
	e.tree.Truncate(highest, computed)
	e.tree.Unlock(highest) // what it holds stays, for as long as nothing needs the place
	t.seq, e.active[gap], e.active[highest] = gap, t, nil
	e.stats.Moved++
}

// gap finds the lowest idle sequence that has active ones on both sides, and
// the highest active one. gap is −1 when there is none.
func (e *Engine) gap() (gap, highest int) {
	gap, first := -1, false
	for seq, t := range e.active {
		switch {
		case t != nil:
			first, highest = true, seq
		case first && gap < 0 && !e.tree.Locked(seq):
			gap = seq
		}
	}
	if gap > highest {
		gap = -1
	}
	return gap, highest
}
