package llamatest

import (
	"path/filepath"
	"slices"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
)

// TestWindowThatHasPassed: unified cells that a sliding window has left are
// overwritten for other sequences, and what then cannot be computed right is
// neither cut nor copied. In streams they stay.
func TestWindowThatHasPassed(t *testing.T) {
	const lost = 10 // tokens of a sequence that is dropped, and of the one that loses its first
	m := openArch(t, filepath.Join(archFolder(t), "gemma2-dense.gguf"))
	if got := m.SWA(); got != archWindow {
		t.Fatalf("the model's window is %d, these tests take it to be %d", got, archWindow)
	}
	tokens := slices.Repeat([]engine.Token{5, 80, 33, 7}, 25)
	for _, unified := range []bool{true, false} {
		b, err := runner.NewBackend(m, runner.ContextPlan{Sequences: 4, Limit: archContext, Context: archContext, Unified: unified, Threads: 1, FlashAttn: llama.FlashOff})
		if err != nil {
			t.Fatal(err)
		}
		defer closing(t, b.Close)
		decodeFrom(t, b, 1, 0, tokens[:lost])
		decodeFrom(t, b, 0, 0, tokens)
		if !b.Cut(1, 0) {
			t.Fatal("a whole sequence can always be dropped")
		}
		// The cells that this frees come first, then those of sequence 0.
		decodeFrom(t, b, 2, 0, tokens[:2*lost])

		// The token at a position attends to itself and what the window holds before.
		n := lost + archWindow - 1
		if unified {
			if b.Cut(0, n-1) || b.Copy(0, 3, n-1) {
				t.Errorf("a sequence without its first %d tokens was kept to %d, with a window of %d", lost, n-1, archWindow)
			}
			if first, last := b.Positions(0); first != 0 || last != len(tokens)-1 {
				t.Errorf("after a cut that was refused: positions %d to %d of %d tokens", first, last, len(tokens))
			}
			if first, last := b.Positions(3); first != -1 || last != -1 {
				t.Errorf("after a copy that was refused: positions %d to %d", first, last)
			}
		} else {
			n = 1
		}
		if !b.Copy(0, 3, n) || !b.Cut(0, n) {
			t.Fatalf("unified=%v: a sequence could not be kept to %d", unified, n)
		}
		want := plainLogits(t, m, archKeys(m), tokens[:n+1])[n]
		for _, seq := range []int{0, 3} {
			got := decodeFrom(t, b, seq, n, tokens[n:n+1])
			if d := difference(got, want); d > archTolerance {
				t.Errorf("unified=%v sequence %d: logits differ by %g of their range", unified, seq, d)
			}
		}
	}
}

// decodeFrom computes tokens of a sequence and returns the logits after them.
func decodeFrom(t *testing.T, b *runner.Backend, seq, pos int, tokens []engine.Token) []float32 {
	t.Helper()
	var batch []engine.Input
	for i, tok := range tokens {
		batch = append(batch, engine.Input{Token: tok, Pos: int32(pos + i), Seq: seq, Logits: i == len(tokens)-1})
	}
	if err := b.Decode(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	logits, err := b.Logits(len(batch) - 1)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Clone(logits)
}
