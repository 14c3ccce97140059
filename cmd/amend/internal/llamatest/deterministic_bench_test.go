package llamatest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
	"amend/models"
)

// BenchmarkDeterministic measures what --deterministic costs: a prompt of 512
// tokens, and 8 steps of 16 sequences below it, with repacked weights and
// without. Rows of SmolLM2's shape are no whole blocks of Q4_K except for ffn_down,
// so the second shape shows that type.
func BenchmarkDeterministic(b *testing.B) {
	for _, c := range []struct{ shape, quant string }{
		{"smollm2-135m", "Q4_0"}, {"smollm2-135m", "Q4_K_M"}, {"12,768,2048,12,4", "Q4_K_M"},
	} {
		path := benchFile(b, c.shape, c.quant)
		for _, noRepack := range []bool{false, true} {
			name := c.shape + "/" + c.quant + "/repacked"
			if noRepack {
				name = c.shape + "/" + c.quant + "/deterministic"
			}
			m, err := llama.LoadModel(b.Context(), path, llama.ModelParams{NoRepack: noRepack})
			if err != nil {
				b.Fatal(err)
			}
			b.Run(name+"/prefill", func(b *testing.B) { benchPrefill(b, m) })
			b.Run(name+"/decode", func(b *testing.B) { benchDecode(b, m) })
			if err := m.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// benchFile writes a model of random weights with SmolLM2's vocabulary.
func benchFile(b *testing.B, shape, quant string) string {
	b.Helper()
	from, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		b.Fatal(err)
	}
	spec := models.Spec{Quant: quant, Seed: 1}
	if spec.Tokenizer, err = models.Open(from); err != nil {
		b.Fatal(err)
	}
	if spec.Shape, err = models.ParseShape(shape); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "bench.gguf")
	if _, err := models.Synth(b.Context(), path, spec, false, nil); err != nil {
		b.Fatal(err)
	}
	return path
}

const benchDepth = 512

func benchPrefill(b *testing.B, m *llama.Model) {
	back := benchBackend(b, m, 1)
	benchStep(b, back, 1, 0, benchDepth) // touches all weights
	before := cpuTime(b)
	for b.Loop() {
		back.Cut(0, 0)
		benchStep(b, back, 1, 0, benchDepth)
	}
	reportTokens(b, benchDepth, before)
}

func benchDecode(b *testing.B, m *llama.Model) {
	const sequences, steps = 16, 8
	back := benchBackend(b, m, sequences)
	benchStep(b, back, 1, 0, benchDepth)
	for seq := 1; seq < sequences; seq++ {
		if !back.Copy(0, seq, benchDepth) {
			b.Fatal("a sequence could not be copied")
		}
	}
	before := cpuTime(b)
	for b.Loop() {
		for step := range steps {
			benchStep(b, back, sequences, benchDepth+step, 1)
		}
		for seq := range sequences {
			back.Cut(seq, benchDepth)
		}
	}
	reportTokens(b, sequences*steps, before)
}

// reportTokens also reports tokens by time on all CPUs together, which other
// work on the machine disturbs less.
func reportTokens(b *testing.B, perLoop int, before time.Duration) {
	b.Helper()
	n := float64(perLoop * b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "tokens/s")
	b.ReportMetric(n/(cpuTime(b)-before).Seconds(), "tokens/cpu-s")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchBackend(b *testing.B, m *llama.Model, sequences int) *runner.Backend {
	b.Helper()
	back, err := runner.NewBackend(m, runner.ContextPlan{Sequences: sequences, Limit: 768, Context: 768, Threads: 2, FlashAttn: llama.FlashOff})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := back.Close(); err != nil {
			b.Error(err)
		}
	})
	return back
}

// benchStep computes n tokens of each of the first sequences, from position pos
// on, with logits after the last of each.
func benchStep(b *testing.B, back *runner.Backend, sequences, pos, n int) {
	b.Helper()
	var batch []engine.Input
	for seq := range sequences {
		for i := range n {
			batch = append(batch, engine.Input{Token: engine.Token(10 + (seq+7*(pos+i))%1000), Pos: int32(pos + i), Seq: seq, Logits: i == n-1})
		}
	}
	if err := back.Decode(b.Context(), batch); err != nil {
		b.Fatal(err)
	}
}
