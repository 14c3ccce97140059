package engine

import (
	"fmt"
	"slices"

	"amend/engine/internal/kvcache"
)

// worthCopy is how many tokens a copy must save. With unified cells a copy is
// free. With one stream a sequence llama.cpp copies the whole stream's buffer:
// about what one or two tokens cost to compute (SmolLM2, 2,560 cells: 16 ms a
// copy, 12 ms a token; BenchmarkStreamCopy in engine/llama).
func (e *Engine) worthCopy() int {
	if e.limits.Unified {
		return 1
	}
	return 4
}

// admitAll gives waiting requests sequences for as long as there are any, in the
// order that before says, so that a row's next turn finds its own sequence
// before another takes it; equals go in the order of submission.
//
// After a preemption nothing is admitted until a turn has ended: what was put
// back would only fill the same cells again.
func (e *Engine) admitAll() {
	for len(e.waiting) > 0 && !(e.overCapacity && e.running > 0) {
		best, bestPlace := -1, place{}
		for i, r := range e.waiting {
			p, ok := e.placeFor(r)
			if ok && (best < 0 || p.before(bestPlace)) {
				best, bestPlace = i, p
			}
		}
		if best < 0 {
			return
		}
		r := e.waiting[best]
		e.waiting = slices.Delete(e.waiting, best, best+1)
		e.admit(r, bestPlace)
	}
}

// place is where a request would run.
type place struct {
	seq   int // the sequence it takes
	from  int // the sequence to copy from; −1 when seq itself holds the prefix
	reuse int // tokens of the request that are in the cache
}

// before reports whether a request with place p goes before one with q. What
// lies in a sequence that a request can take over would be lost to one that is
// copied there, which finds its own source again later: so those who take over
// go first, among them those who find most.
func (p place) before(q place) bool {
	if a, b := p.from < 0 && p.reuse > 0, q.from < 0 && q.reuse > 0; a != b {
		return a
	}
	return p.reuse > q.reuse
}

// placeFor finds a request's place. It returns false while there is none: all
// sequences are busy, no cells are left, or another request is just computing
// the prefix that this one shares.
func (e *Engine) placeFor(r *Request) (place, bool) {
	victim, ok := e.tree.NextSequence()
	if !ok {
		return place{}, false
	}
	if e.config.NoReuse {
		return place{seq: victim, from: -1}, e.fits(r, place{seq: victim, from: -1})
	}
	query := r.Tokens[:r.firstOutput()] // that token and those after it must be computed: they give logits
	own := e.tree.MatchFree(query, e.limits.Uncuttable)
	p := place{seq: own.Seq, from: -1, reuse: own.Computed}
	if own.Seq < 0 {
		p.seq = victim
	}
	if e.config.NoFork {
		return p, e.fits(r, p)
	}
	any := e.tree.Match(query, e.limits.Uncuttable)
	if any.Length-own.Length >= e.worthCopy() || e.spoils(own) {
		if any.Computed < any.Length {
			return place{}, false
		}
		p = e.fork(any, victim)
	}
	return p, e.fits(r, p)
}

// spoils reports whether taking over a sequence would cut off tokens that a
// free copy could keep.
func (e *Engine) spoils(own kvcache.Hit) bool {
	return e.limits.Unified && own.Seq >= 0 && e.tree.Len(own.Seq) > own.Length
}

// fork is the place of a copy of what hit found. When the only free sequence
// is the one that holds it, that one is taken over.
func (e *Engine) fork(hit kvcache.Hit, victim int) place {
	if hit.Seq == victim {
		return place{seq: victim, from: -1, reuse: hit.Length}
	}
	return place{seq: victim, from: hit.Seq, reuse: hit.Length}
}

// fits reports whether the cells that a request may need are there: all but
// those of locked sequences and of the prefix it shares can be freed.
func (e *Engine) fits(r *Request, p place) bool {
	if !e.limits.Unified {
		return true
	}
	source := p.seq
	if p.from >= 0 {
		source = p.from
	}
	return e.tree.CellsKept(source, p.reuse)+e.growth(r, p.reuse) <= e.limits.Cells
}

// growth is how many cells may still be filled when r joins the active turns.
func (e *Engine) growth(r *Request, reuse int) int {
	need := len(r.Tokens) + r.MaxTokens - reuse
	for _, t := range e.active {
		if t != nil {
			need += t.mayGrow()
		}
	}
	return need
}

// admit puts a request on its place: the cache first, then the tree.
func (e *Engine) admit(r *Request, p place) {
	reuse := p.reuse
	if p.from < 0 {
		reuse = e.cut(p.seq, reuse)
	} else {
		reuse = e.copy(p.from, p.seq, reuse)
	}
	e.tree.Lock(p.seq)
	e.makeRoom(e.growth(r, reuse))
	e.tree.Append(p.seq, r.Tokens[reuse:]...)
	e.admits++
	t := newTurn(r, p.seq, reuse, e.admits, e.roomFor(r.Tokens))
	t.drafter = e.newDrafter(r)
	e.active[p.seq] = t
	e.running++
	e.stats.Reused += reuse
	if r.Grammar != nil {
		g, err := r.Grammar()
		if err != nil {
			e.finish(t, "", fmt.Errorf("making the grammar of a turn: %w", err))
			return
		}
		t.sampler.Restrict(g)
	}
}

// copy forks the first n tokens of src into dst and returns how many there
// are now: none where the model's memory cannot be copied.
func (e *Engine) copy(src, dst, n int) int {
	e.clear(dst)
	switch {
	case e.attach(src, dst, n):
		e.reads[dst] = n
	case e.backend.Copy(src, dst, n):
		e.reads[dst] = e.reads[src]
	default:
		return 0
	}
	e.tree.Fork(src, dst, n)
	return n
}

// attach lets dst read the n tokens of src in place of a copy, and reports
// whether it does: where src is a pinned prefix, which stays as long as the
// engine, and all of it is wanted.
func (e *Engine) attach(src, dst, n int) bool {
	pinned := e.active[src] == nil && e.tree.Locked(src)
	return pinned && n == e.tree.Len(src) && e.backend.Attach(src, dst)
}

// cut keeps the first n tokens of a sequence, or none where the model's
// memory cannot be cut (recurrent states), and returns how many were kept.
func (e *Engine) cut(seq, n int) int {
	if n == e.tree.Len(seq) {
		return n
	}
	if n > 0 && e.backend.Cut(seq, n) {
		e.tree.Truncate(seq, n)
		return n
	}
	e.clear(seq)
	return 0
}

func (e *Engine) clear(seq int) {
	e.backend.Cut(seq, 0)
	e.tree.Truncate(seq, 0)
	e.reads[seq] = 0
}

// makeRoom evicts whole sequences, those used longest ago first, until growth
// more cells are free. That there are enough to evict, fits has made sure.
func (e *Engine) makeRoom(growth int) {
	if !e.limits.Unified {
		return
	}
	for e.tree.Cells(true)+growth > e.limits.Cells {
		victim, ok := e.tree.LeastRecentlyUsed()
		if !ok {
			return
		}
		e.clear(victim)
	}
}

// failFirst fails the oldest waiting request: nothing runs, and it still has
// no place, so what is pinned leaves too little room for it.
func (e *Engine) failFirst() {
	r := e.waiting[0]
	e.waiting = e.waiting[1:]
	free := min(e.room(), e.limits.Cells-e.tree.CellsKept(-1, 0))
	r.Done(Result{Prompt: len(r.Tokens), Err: &TooLongError{Prompt: len(r.Tokens), MaxTokens: r.MaxTokens, Context: free}})
}

// preempt makes room after the cache had none for a batch: an idle sequence
// goes first, else the youngest turn is put back in the queue. It starts again
// later from the same seed, so its tokens will be the same. A turn that has no
// room even alone fails.
func (e *Engine) preempt() error {
	if victim, ok := e.tree.LeastRecentlyUsed(); ok {
		e.clear(victim)
		return nil
	}
	var youngest *turn
	for _, t := range e.active {
		if t != nil && (youngest == nil || t.order > youngest.order) {
			youngest = t
		}
	}
	grammar := e.release(youngest)
	e.clear(youngest.seq)
	if grammar != nil {
		return grammar
	}
	if e.running == 0 {
		r := youngest.request
		err := fmt.Errorf("%w, though nothing else was running: %d prompt tokens, %d cells", ErrNoSlot, len(r.Tokens), e.limits.Cells)
		r.Done(youngest.result("", err))
		return nil
	}
	e.overCapacity = true
	e.stats.Preempted++
	e.stats.Reused -= youngest.reused
	e.waiting = slices.Insert(e.waiting, 0, youngest.request)
	return nil
}
