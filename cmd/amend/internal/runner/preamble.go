package runner

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"amend/engine"
)

// preamble is where the pinned prefix lies that other sequences are attached
// to: the engine's last sequence, and in llama.cpp as many as it has parts, each
// attached to the one before. So the others need no cells for it, and a stream
// is only as long as what a row adds.
type preamble struct {
	seq  int // the engine's sequence, and llama.cpp's first
	part int // tokens of a part; 0 where a sequence is a sequence
}

// PartCells is how many of shared tokens are a part. Each part is a product of
// its own in every layer, whose scores are copied beside those before, but streams
// must be as long as a part: so there are four parts, or fewer where they would be
// shorter than 512. (A step of 16 rows behind 2,560 tokens took 7 % longer in four
// parts than in one, behind 1,024 in two 1 %: SmolLM2 Q4_0, two cores, the fastest of
// 80 steps.)
//
// It depends on shared alone: each part's values are summed by themselves, so that
// a row's logits would change in the last bits with whatever else it depended on.
func PartCells(shared int) int {
	return min(padded(shared), max(512, padded((shared+3)/4)))
}

func newPreamble(s ContextPlan) preamble { return preamble{seq: s.Sequences - 1, part: s.Part} }

// in reports whether an engine's sequence is the preamble, in parts.
func (p preamble) in(seq int) bool { return p.part > 0 && seq == p.seq }

// parts is how many n tokens fill.
func (p preamble) parts(n int) int {
	if p.part == 0 {
		return 0
	}
	return (n + p.part - 1) / p.part
}

// decodePreamble computes tokens of the preamble, part by part. A part is
// attached to the one before when that is full.
func (b *Backend) decodePreamble(decode func([]engine.Input) error, batch []engine.Input) error {
	for len(batch) > 0 {
		part := int(batch[0].Pos) / b.preamble.part
		n := 1
		for n < len(batch) && int(batch[n].Pos)/b.preamble.part == part {
			n++
		}
		if part > 0 && int(batch[0].Pos)%b.preamble.part == 0 && !b.attachPart(part) {
			return fmt.Errorf("part %d of the preamble cannot go on behind part %d", part+1, part)
		}
		placed := slices.Clone(batch[:n])
		for i := range placed {
			placed[i].Seq = b.preamble.seq + part
		}
		if err := decode(placed); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

func (b *Backend) attachPart(part int) bool {
	return b.ctx.SeqAttach(int32(b.preamble.seq+part), int32(b.preamble.seq+part-1))
}

// preambleEnd is the last position of the preamble, −1 when there is none.
func (b *Backend) preambleEnd() int {
	last := -1
	for seq := b.preamble.seq; seq < b.ctx.NSeqMax(); seq++ {
		last = max(last, int(b.ctx.SeqPosMax(int32(seq))))
	}
	return last
}

// clearPreamble empties it, the last part first: those before it are attached to.
func (b *Backend) clearPreamble() bool {
	ok := true
	for seq := b.ctx.NSeqMax() - 1; seq >= b.preamble.seq; seq-- {
		ok = b.ctx.SeqRemove(int32(seq), -1, -1) && ok
	}
	return ok
}

// savePreamble is the state of each part with its length before it.
func (b *Backend) savePreamble() ([]byte, error) {
	var out []byte
	for part := range b.preamble.parts(b.preambleEnd() + 1) {
		state, err := b.ctx.SeqState(int32(b.preamble.seq + part))
		if err != nil {
			return nil, err
		}
		out = append(binary.LittleEndian.AppendUint64(out, uint64(len(state))), state...)
	}
	return out, nil
}

func (b *Backend) restorePreamble(state []byte) error {
	for part := 0; len(state) > 0; part++ {
		if len(state) < 8 {
			return errors.New("the saved preamble ends within a length")
		}
		n := binary.LittleEndian.Uint64(state)
		if state = state[8:]; n > uint64(len(state)) || b.preamble.seq+part >= b.ctx.NSeqMax() {
			return fmt.Errorf("part %d of the saved preamble has %d bytes, of %d that are left", part+1, n, len(state))
		}
		if err := b.ctx.SetSeqState(int32(b.preamble.seq+part), state[:n]); err != nil {
			return err
		}
		if part > 0 && !b.attachPart(part) {
			return fmt.Errorf("part %d of the saved preamble does not go on behind part %d", part+1, part)
		}
		state = state[n:]
	}
	return nil
}
