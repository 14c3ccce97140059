package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// PinStore keeps saved sequences by key. amend/engine/kvfile is one in a folder.
type PinStore interface {
	// Get returns what was last saved under key, whole and unchanged, or an
	// error, which wraps fs.ErrNotExist when there is nothing.
	Get(key string) ([]byte, error)
	// Put keeps state under key, in place of what was there.
	Put(key string, state []byte) error
}

// PinCache keeps the KV of pinned prefixes from one run to the next. Nothing
// that goes wrong with it fails a run: the prefix is computed, and Warn is told.
type PinCache struct {
	Store       PinStore
	Fingerprint Fingerprint // of the context
	// Warn is called on the engine's goroutine with what happens instead, and why.
	Warn func(msg string, err error)
}

// Pin computes a prefix, in the highest sequence that is free, and keeps it
// for the life of the engine: a preamble that all rows share. Where an earlier
// run has kept its KV (Config.Pins), it is loaded in place of being computed, and
// counts as reused. Several may be pinned; turns read only the first without holding it (Limits.Shared).
func (e *Engine) Pin(ctx context.Context, tokens []Token) error {
	if len(tokens) == 0 || e.config.NoReuse {
		return nil
	}
	seq := e.limits.Sequences - 1
	for seq >= 0 && (e.tree.Locked(seq) || e.tree.Len(seq) > 0) {
		seq--
	}
	if seq < 1 {
		return fmt.Errorf("pinning a prefix of %d tokens: all %d sequences are in use", len(tokens), e.limits.Sequences)
	}
	room := max(e.room()-1, e.limits.Shared)
	if len(tokens) > room {
		return &TooLongError{Prompt: len(tokens), Context: room}
	}
	if err := e.fillPin(ctx, seq, tokens); err != nil {
		return err
	}
	e.tree.Append(seq, tokens...)
	e.tree.Compute(seq, len(tokens))
	e.tree.Lock(seq)
	if len(tokens) <= e.limits.Shared && e.shared == nil {
		e.shared = slices.Clone(tokens)
	}
	return nil
}

// Unpin gives up what Pin has kept, and every other sequence: some read it without holding it. No turn may be under way.
func (e *Engine) Unpin() {
	for _, pinned := range []bool{false, true} { // those that read before those that are read
		for seq := range e.limits.Sequences {
			if e.tree.Locked(seq) != pinned {
				continue
			}
			for e.tree.Locked(seq) {
				e.tree.Unlock(seq)
			}
			e.clear(seq)
		}
	}
	e.shared = nil
}

// fillPin brings a prefix into an empty sequence: from the cache, where there
// is one that has it, else by computing it.
func (e *Engine) fillPin(ctx context.Context, seq int, tokens []Token) error {
	pins := e.config.Pins
	if pins == nil {
		return e.computePin(ctx, seq, tokens)
	}
	key := pins.Fingerprint.Key(tokens)
	err := e.loadPin(pins.Store, key, seq, len(tokens))
	if err == nil {
		e.stats.Reused += len(tokens)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		pins.Warn("the saved preamble is not used, it is computed again", err)
	}
	e.clear(seq)
	if err := e.computePin(ctx, seq, tokens); err != nil {
		return err
	}
	if err := e.savePin(pins.Store, key, seq); err != nil {
		pins.Warn("the preamble is not saved, a later run will compute it again", err)
	}
	return nil
}

// loadPin restores a prefix of n tokens from the cache. After an error the
// sequence is not to be relied on.
func (e *Engine) loadPin(store PinStore, key string, seq, n int) error {
	state, err := store.Get(key)
	if err != nil {
		return fmt.Errorf("loading the KV of %d tokens: %w", n, err)
	}
	if err := e.backend.RestoreSequence(seq, state); err != nil {
		return fmt.Errorf("restoring the KV of %d tokens: %w", n, err)
	}
	first, last := e.backend.Positions(seq)
	if first != 0 || last != n-1 {
		return fmt.Errorf("restoring the KV of %d tokens gave positions %d to %d in place of 0 to %d", n, first, last, n-1)
	}
	return nil
}

// savePin puts a computed prefix into the cache.
func (e *Engine) savePin(store PinStore, key string, seq int) error {
	state, err := e.backend.SaveSequence(seq)
	if err != nil {
		return fmt.Errorf("reading the KV of sequence %d: %w", seq, err)
	}
	return store.Put(key, state)
}

// computePin computes a prefix in chunks. No logits are wanted of it: each
// row's own first token gives them.
func (e *Engine) computePin(ctx context.Context, seq int, tokens []Token) error {
	for from := 0; from < len(tokens); from += e.limits.Batch {
		chunk := tokens[from:min(from+e.limits.Batch, len(tokens))]
		e.batch = e.batch[:0]
		for i, tok := range chunk {
			e.batch = append(e.batch, Input{Token: tok, Pos: int32(from + i), Seq: seq})
		}
		err := e.timedPrefill(len(chunk), func() error { return e.backend.Decode(ctx, e.batch) })
		if err != nil {
			return fmt.Errorf("computing a pinned prefix of %d tokens: %w", len(tokens), err)
		}
		e.afterStep()
	}
	return nil
}
