package llama_test

import (
	"errors"
	"slices"
	"testing"

	"amend/engine/llama"
)

// Cutting a sequence and computing the cut part again gives the same logits.
func TestSeqRemove(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 2, FlashAttn: llama.FlashOff})
	tokens := tokenize(t, m, passage)
	cut := int32(len(tokens) - 1)
	decode(t, c, 0, 0, tokens[:cut])
	want := decode(t, c, 0, cut, tokens[cut:])
	if !c.SeqRemove(0, cut, -1) {
		t.Fatal("refused")
	}
	if got := c.SeqPosMax(0); got != cut-1 {
		t.Fatalf("highest position %d, want %d", got, cut-1)
	}
	if got := decode(t, c, 0, cut, tokens[cut:]); !slices.Equal(got, want) {
		t.Error("other logits than the first time")
	}
	if !c.SeqRemove(0, -1, -1) || c.SeqPosMax(0) != -1 || c.SeqPosMin(0) != -1 {
		t.Error("the whole sequence was not removed")
	}
}

// A copied sequence goes on as the first one does.
func TestSeqCopy(t *testing.T) {
	m := openSmol(t)
	tokens := tokenize(t, m, passage)
	cut := int32(len(tokens) - 1)
	for _, unified := range []bool{true, false} {
		c := openContext(t, m, llama.ContextParams{Ctx: 1024, SeqMax: 4, KVUnified: unified, FlashAttn: llama.FlashOff})
		decode(t, c, 0, 0, tokens[:cut])
		if err := c.SeqCopy(0, 2, -1, -1); err != nil {
			t.Fatal(err)
		}
		if c.SeqPosMax(2) != cut-1 || c.SeqPosMin(2) != 0 {
			t.Errorf("unified %v: copy holds %d to %d", unified, c.SeqPosMin(2), c.SeqPosMax(2))
		}
		want := decode(t, c, 0, cut, tokens[cut:])
		if got := decode(t, c, 2, cut, tokens[cut:]); !slices.Equal(got, want) {
			t.Errorf("unified %v: the copy goes on differently", unified)
		}
		if c.SeqPosMax(1) != -1 {
			t.Errorf("unified %v: sequence 1 holds something", unified)
		}
	}
}

// Part of a sequence is copied in a unified cache only; with streams llama.cpp
// would abort.
func TestSeqCopyPart(t *testing.T) {
	m := openSmol(t)
	tokens := tokenize(t, m, passage)
	for _, unified := range []bool{true, false} {
		c := openContext(t, m, llama.ContextParams{Ctx: 1024, SeqMax: 4, KVUnified: unified})
		decode(t, c, 0, 0, tokens)
		last := int32(len(tokens) - 1)
		for _, r := range [][2]int32{{0, last}, {1, -1}, {2, 4}} {
			err := c.SeqCopy(0, 1, r[0], r[1])
			if (err == nil) != unified {
				t.Errorf("unified %v, %v: %v", unified, r, err)
			}
			c.SeqRemove(1, -1, -1)
		}
		// A range that names all of it is all of it.
		if err := c.SeqCopy(0, 1, 0, last+1); err != nil || c.SeqPosMax(1) != last {
			t.Errorf("unified %v: whole range: %v, highest %d", unified, err, c.SeqPosMax(1))
		}
	}
}

// Ids that a context does not have are refused: in C they abort, or mean another
// sequence's stream.
func TestSequenceIdsOutside(t *testing.T) {
	m := openSmol(t)
	tokens := tokenize(t, m, passage)
	for _, unified := range []bool{true, false} {
		c := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 2, KVUnified: unified})
		decode(t, c, 0, 0, tokens)
		for _, id := range []int32{-1, 2, 255, 256, 1 << 30, -1 << 31} {
			if c.SeqRemove(id, -1, -1) {
				t.Errorf("remove %d: done", id)
			}
			if c.SeqPosMin(id) != -1 || c.SeqPosMax(id) != -1 {
				t.Errorf("sequence %d holds positions", id)
			}
			_, stateErr := c.SeqState(id)
			for name, err := range map[string]error{
				"copy from": c.SeqCopy(id, 0, -1, -1),
				"copy to":   c.SeqCopy(0, id, -1, -1),
				"state":     stateErr,
				"set state": c.SetSeqState(id, nil),
			} {
				if err == nil {
					t.Errorf("%s %d: no error", name, id)
				}
			}
		}
		if got := c.SeqPosMax(0); got != int32(len(tokens)-1) {
			t.Errorf("sequence 0 now ends at %d", got)
		}
	}
}

func TestClearMemory(t *testing.T) {
	m := openSmol(t)
	c := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 2})
	decode(t, c, 1, 0, tokenize(t, m, passage))
	if err := c.ClearMemory(true); err != nil {
		t.Fatal(err)
	}
	if c.SeqPosMax(1) != -1 {
		t.Error("cleared, and sequence 1 holds something")
	}
}

// A restored sequence goes on exactly as the saved one, in this or another
// context, under this or another id.
func TestSeqState(t *testing.T) {
	m := openSmol(t)
	tokens := tokenize(t, m, passage)
	cut := int32(len(tokens) - 1)
	for _, unified := range []bool{true, false} {
		p := llama.ContextParams{Ctx: 1024, SeqMax: 4, KVUnified: unified, FlashAttn: llama.FlashOff}
		c := openContext(t, m, p)
		decode(t, c, 1, 0, tokens[:cut])
		state, err := c.SeqState(1)
		if err != nil {
			t.Fatal(err)
		}
		want := decode(t, c, 1, cut, tokens[cut:])

		other := openContext(t, m, p)
		decode(t, other, 3, 0, tokens[3:9]) // replaced by the restore
		if err := other.SetSeqState(3, state); err != nil {
			t.Fatal(err)
		}
		if got := decode(t, other, 3, cut, tokens[cut:]); !slices.Equal(got, want) {
			t.Errorf("unified %v: the restored sequence goes on differently", unified)
		}
	}
}

// With streams a copy is made by the next decode; until then the copy's state
// would be what its stream held before.
func TestSeqStateWaitsForCopies(t *testing.T) {
	m := openSmol(t)
	tokens := tokenize(t, m, passage)
	c := openContext(t, m, llama.ContextParams{Ctx: 1024, SeqMax: 2})
	decode(t, c, 0, 0, tokens)
	if err := c.SeqCopy(0, 1, -1, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := c.SeqState(1); err == nil {
		t.Fatal("state of a copy not made yet: no error")
	}
	decode(t, c, 0, int32(len(tokens)), tokens[:1])
	if _, err := c.SeqState(1); err != nil {
		t.Error(err)
	}
}

// What does not fit is refused; that a state is sound is for kvfile to check.
func TestStatesThatDoNotFit(t *testing.T) {
	m := openTiny(t)
	tokens := tokenize(t, m, passage)
	c := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 2, FlashAttn: llama.FlashOff})
	decode(t, c, 0, 0, tokens)
	state, err := c.SeqState(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetSeqState(0, nil); !errors.Is(err, llama.ErrState) {
		t.Errorf("an empty state: %v", err)
	}
	if got := c.SeqPosMax(0); got != int32(len(tokens)-1) {
		t.Fatalf("sequence 0 now ends at %d", got)
	}
	for name, b := range map[string][]byte{"cut": state[:len(state)-1], "longer": append(slices.Clone(state), 0)} {
		if err := c.SetSeqState(1, b); !errors.Is(err, llama.ErrState) || c.SeqPosMax(1) != -1 {
			t.Errorf("%s: %v", name, err)
		}
	}

	// No room, another KV type, another layout.
	full := openContext(t, m, llama.ContextParams{Ctx: 256, SeqMax: 1, FlashAttn: llama.FlashOff})
	long := openContext(t, m, llama.ContextParams{Ctx: 512, SeqMax: 1, FlashAttn: llama.FlashOff})
	decode(t, long, 0, 0, slices.Repeat(tokens, 15)[:300])
	longState, err := long.SeqState(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := full.SetSeqState(0, longState); !errors.Is(err, llama.ErrState) || full.SeqPosMax(0) != -1 {
		t.Errorf("300 positions in 256 cells: %v", err)
	}
	for name, p := range map[string]llama.ContextParams{
		"KV type": {Ctx: 512, SeqMax: 2, FlashAttn: llama.FlashOff, TypeK: llama.KVQ8_0},
		"layout":  {Ctx: 512, SeqMax: 2, FlashAttn: llama.FlashOff, KVUnified: true},
	} {
		other := openContext(t, m, p)
		if err := other.SetSeqState(0, state); !errors.Is(err, llama.ErrState) {
			t.Errorf("%s: %v", name, err)
		}
		if other.SeqPosMax(0) != -1 {
			t.Errorf("%s: the sequence is not empty after a failed restore", name)
		}
		decode(t, other, 0, 0, tokens)
	}
}
