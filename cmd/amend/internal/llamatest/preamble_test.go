package llamatest

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/kvfile"
	"amend/engine/llama"
	"amend/engine/sample"
	"amend/models"
)

// tinyModel loads a model of random weights with SmolLM2's vocabulary.
func tinyModel(t *testing.T) *llama.Model {
	t.Helper()
	from, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := models.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := models.ParseShape("2,64,128,2,1") // heads of 32 numbers, as keys in q8_0 need
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := models.Synth(t.Context(), path, models.Spec{Shape: shape, Quant: "Q8_0", Seed: 1, Tokenizer: tokenizer}, false, nil); err != nil {
		t.Fatal(err)
	}
	m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, m.Close) })
	return m
}

// recording hashes all logits that the engine reads.
type recording struct {
	*runner.Backend
	sum hash.Hash
}

func (r recording) Logits(i int) ([]float32, error) {
	logits, err := r.Backend.Logits(i)
	for _, l := range logits {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(l))
		r.sum.Write(b[:])
	}
	return logits, err
}

// pinnedRun is what rows over a pinned preamble gave, in a context of its own.
type pinnedRun struct {
	tokens [][]engine.Token
	logits string // hash of all that were read
	stats  engine.Stats
}

// runPinned runs rows over a preamble of n tokens. Without a folder nothing is
// kept.
func runPinned(t *testing.T, m *llama.Model, s runner.ContextPlan, n int, dir kvfile.Dir) pinnedRun {
	t.Helper()
	vocab, err := runner.NewVocab(m.Vocab(), chat.ThinkTags{})
	if err != nil {
		t.Fatal(err)
	}
	local, err := runner.NewBackend(m, s)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, local.Close)
	r := recording{local, sha256.New()}
	config := engine.Config{Verify: true}
	if dir != "" {
		print, err := local.Fingerprint("model", llama.ModelParams{})
		if err != nil {
			t.Fatal(err)
		}
		config.Pins = &engine.PinCache{Store: dir, Fingerprint: print, Warn: func(msg string, err error) { t.Errorf("%s: %v", msg, err) }}
	}
	e, err := engine.New(r, vocab, config)
	if err != nil {
		t.Fatal(err)
	}
	preamble := make([]engine.Token, n)
	for i := range preamble {
		preamble[i] = engine.Token(1000 + i*37%5000)
	}
	if err := e.Pin(t.Context(), preamble); err != nil {
		t.Fatal(err)
	}
	out := pinnedRun{tokens: make([][]engine.Token, 5)}
	for i := range out.tokens {
		err := e.Submit(&engine.Request{
			Tokens: append(slices.Clone(preamble), engine.Token(2000+i), 300, 400), MaxTokens: 12, Seed: uint64(i),
			Sampling: sample.Params{Temperature: 1}, Done: func(got engine.Result) {
				if out.tokens[i] = got.Tokens; got.Err != nil {
					t.Errorf("row %d: %v", i, got.Err)
				}
			},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	out.logits, out.stats = fmt.Sprintf("%x", r.sum.Sum(nil)), e.Stats()
	return out
}

// TestRestoredPreambleIsTheComputedOne: to the last bit of every logit, in
// both layouts and with both types of keys, over a preamble longer than a
// batch.
func TestRestoredPreambleIsTheComputedOne(t *testing.T) {
	const n = runner.BatchTokens + 88
	m := tinyModel(t)
	dir := kvfile.Dir(t.TempDir()) // one for all: settings do not take each other's files
	for _, unified := range []bool{false, true} {
		for _, keys := range []llama.KVType{llama.KVF16, llama.KVQ8_0} {
			t.Run(fmt.Sprintf("unified=%v keys=%v", unified, keys), func(t *testing.T) {
				size := runner.ContextPlan{Limit: 768, Context: 768, Sequences: 4, Unified: unified, Threads: 2, TypeK: keys, FlashAttn: llama.FlashOff}
				without := runPinned(t, m, size, n, "")
				first := runPinned(t, m, size, n, dir)
				second := runPinned(t, m, size, n, dir)
				if first.stats.Prefilled != without.stats.Prefilled || second.stats.Prefilled != without.stats.Prefilled-n || second.stats.Reused != without.stats.Reused+n {
					t.Errorf("computed %d tokens, %d with an empty folder, %d with a full one; reused %d, then %d; the preamble has %d",
						without.stats.Prefilled, first.stats.Prefilled, second.stats.Prefilled, without.stats.Reused, second.stats.Reused, n)
				}
				for name, r := range map[string]pinnedRun{"an empty folder": first, "a full one": second} {
					if r.logits != without.logits {
						t.Errorf("with %s the logits are others; tokens %v, without a folder %v", name, r.tokens, without.tokens)
					}
				}
			})
		}
	}
}

// TestRefusedStateLeavesTheSequenceEmpty, and the context usable.
func TestRefusedStateLeavesTheSequenceEmpty(t *testing.T) {
	m := tinyModel(t)
	open := func(s runner.ContextPlan) *runner.Backend {
		b, err := runner.NewBackend(m, s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { closing(t, b.Close) })
		return b
	}
	fill := func(b *runner.Backend, seq int) {
		batch := make([]engine.Input, 10)
		for i := range batch {
			batch[i] = engine.Input{Token: engine.Token(100 + i), Pos: int32(i), Seq: seq}
		}
		if err := b.Decode(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	size := runner.ContextPlan{Limit: 256, Context: 256, Sequences: 3, Threads: 2, FlashAttn: llama.FlashOff}
	b := open(size)
	fill(b, 1)
	state, err := b.SaveSequence(1)
	if err != nil {
		t.Fatal(err)
	}
	keys, shared, more := size, size, size
	keys.TypeK, shared.Unified, more.Sequences = llama.KVQ8_0, true, 5
	for name, c := range map[string]struct {
		size  runner.ContextPlan
		state []byte
	}{
		"other keys": {keys, state}, "other layout": {shared, state}, "other number of streams": {more, state},
		"cut": {size, state[:len(state)-1]}, "nothing": {size, nil},
	} {
		other := open(c.size)
		fill(other, 2)
		if err := other.RestoreSequence(2, c.state); err == nil {
			t.Errorf("%s: restored", name)
		}
		if first, last := other.Positions(2); first != -1 || last != -1 {
			t.Errorf("%s: positions %d to %d are left", name, first, last)
		}
		fill(other, 2)
	}
}

// TestFingerprintTellsSettingsApart: what llama.cpp would refuse, or compute
// with other rounding, has another key.
func TestFingerprintTellsSettingsApart(t *testing.T) {
	m := tinyModel(t)
	base := runner.ContextPlan{Limit: 256, Context: 256, Sequences: 3, Threads: 2, FlashAttn: llama.FlashOff}
	seen := map[string]string{}
	for name, change := range map[string]func(*runner.ContextPlan){
		"nothing": func(*runner.ContextPlan) {}, "keys": func(s *runner.ContextPlan) { s.TypeK = llama.KVQ8_0 }, "flash attention": func(s *runner.ContextPlan) { s.FlashAttn = llama.FlashOn },
		"layout": func(s *runner.ContextPlan) { s.Unified = true }, "streams": func(s *runner.ContextPlan) { s.Sequences = 4 }, "threads": func(s *runner.ContextPlan) { s.Threads = 1 },
	} {
		size := base
		change(&size)
		b, err := runner.NewBackend(m, size)
		if err != nil {
			t.Fatal(err)
		}
		print, err := b.Fingerprint("model", llama.ModelParams{})
		closing(t, b.Close)
		if err != nil {
			t.Fatal(err)
		}
		if len(print.Devices) == 0 || !strings.Contains(strings.Join(print.Devices, " "), "CPU") || print.Library == "" {
			t.Errorf("what computes is not named: %+v", print)
		}
		key := print.Key(nil)
		if before, ok := seen[key]; ok {
			t.Errorf("changing %s gives the key of changing %s", name, before)
		}
		seen[key] = name
	}
}
