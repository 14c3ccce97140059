package llama_test

import (
	"testing"

	"amend/engine/llama"
)

// BenchmarkStreamCopy is what a copy of a sequence between streams costs,
// beside the decode step that carries it out: the engine weighs it against
// computing tokens again.
func BenchmarkStreamCopy(b *testing.B) {
	const cells = 2560
	c := openContext(b, openSmol(b), llama.ContextParams{Ctx: 2 * cells, SeqMax: 2, Batch: 512, OutputsMax: 2, FlashAttn: llama.FlashOff})
	batch := newBatch(b, 512, 1)
	step := func(b *testing.B, seq, pos int32, n int) {
		batch.Clear()
		for i := range n {
			if err := batch.Add(llama.Token(1000+i), pos+int32(i), i == n-1, seq); err != nil {
				b.Fatal(err)
			}
		}
		if err := c.Decode(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
		c.Synchronize()
	}
	const depth = 512
	step(b, 0, 0, depth)
	b.Run("prefill of 64 tokens", func(b *testing.B) {
		for range b.N {
			step(b, 0, depth, 64)
			c.SeqRemove(0, depth, -1)
		}
	})
	for _, copied := range []bool{false, true} {
		name := "decode step"
		if copied {
			name += " after a copy"
		}
		if err := c.SeqCopy(0, 1, -1, -1); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if copied {
					c.SeqRemove(1, -1, -1)
					if err := c.SeqCopy(0, 1, -1, -1); err != nil {
						b.Fatal(err)
					}
				}
				step(b, 1, depth, 1)
				c.SeqRemove(1, depth, -1)
			}
		})
	}
}
