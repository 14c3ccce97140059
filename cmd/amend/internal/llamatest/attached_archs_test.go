package llamatest

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/llama"
)

// attachableArchs are the models of scripts/build-archs whose sequences can be
// attached to one another: those with a plain KV cache in all layers. (None has
// GELU but behind a gate. On a CPU ggml looks it up by its argument in 16 bits, so
// that sums in another order can give the value beside, with nothing attached too.)
var attachableArchs = []string{
	"grok-moe", "jais-dense", "llama-dense", "llama-moe", "qwen2-dense", "qwen3-dense", "stablelm-dense",
}

// otherArchs are those with windows, states or latent attention, which cannot.
var otherArchs = []string{
	"deepseek2-moe", "falcon-h1-dense", "gemma2-dense", "gemma3-dense", "gpt-oss-moe",
	"jamba-dense", "lfm2-dense", "mamba-dense", "mamba2-dense", "qwen35-dense",
}

const (
	treeSequences = 8
	treeTokens    = 240 // the most that a sequence reads; the models know positions up to archContext
)

// treeTolerance is how far a logit may be from that of the plain computation, as
// a share of all logits' range. With weights, keys and values in 32 bits only
// the order of sums differs. Measured, over thousands of trees: at most 2.1e-6
// (grok, whose routing and soft-capping amplify it), 3e-7 for the others.
// Another token in place of a shared one made 1e-3.
const treeTolerance = 1e-5

// TestAttachedTrees: on every kind of model whose sequences can be attached to
// one another, whatever trees they form, the logits are those of each
// sequence's whole text computed at once in a context with nothing attached. A
// tree begins as a chain of parts with sequences attached along it; then
// sequences grow in common batches, are cut, dropped, attached elsewhere and
// copied, and what llama.cpp refuses of that is what it says it does.
func TestAttachedTrees(t *testing.T) {
	kinds := attachableKinds(t)
	rapid.Check(t, func(r *rapid.T) {
		x := newTree(r, kinds[rapid.SampledFrom(attachableArchs).Draw(r, "model")])
		x.grow(r)
		r.Repeat(map[string]func(*rapid.T){
			"append": x.append,
			"cut":    x.cut,
			"attach": x.attach,
			"copy":   x.copy,
			"":       x.checkPositions,
		})
		x.compare(r)
	})
	for name, k := range kinds {
		t.Logf("%s: %d logits of %d trees, worst difference %g", name, k.outputs, k.trees, k.worst)
	}
}

// kind is a model with a context for trees, one for the plain computation, and
// what was compared.
type kind struct {
	attached, plain *llama.Context
	batch           *llama.Batch

	trees, outputs int
	worst          float32
}

// attachableKinds opens the attachable models, and checks of all whether they
// can be attached.
func attachableKinds(t *testing.T) map[string]*kind {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(archFolder(t), "*.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]*kind{}
	var others []string
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".gguf")
		m := openArch(t, path)
		if c := archContextOf(t, m, treeSequences); c.CanAttach() {
			kinds[name] = newKind(t, m, c)
		} else {
			others = append(others, name)
		}
	}
	names := slices.Sorted(maps.Keys(kinds))
	if !slices.Equal(names, attachableArchs) || !slices.Equal(others, otherArchs) {
		t.Fatalf("models that can be attached: %v, want %v; others: %v, want %v", names, attachableArchs, others, otherArchs)
	}
	return kinds
}

func newKind(t *testing.T, m *llama.Model, attached *llama.Context) *kind {
	t.Helper()
	b, err := llama.NewBatch(treeSequences*archContext, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, b.Close) })
	return &kind{attached: attached, plain: archContextOf(t, m, 1), batch: b}
}

// archContextOf makes a context of streams as long as the models know positions.
// runner.CanAttach would refuse them all: llama.cpp's writer gives each the key
// that tells of rotary factors which depend on the context.
func archContextOf(t *testing.T, m *llama.Model, sequences int) *llama.Context {
	t.Helper()
	p := llama.ContextParams{
		Ctx: sequences * archContext, SeqMax: sequences, Batch: sequences * archContext, SWAFull: true,
		Threads: 1, ThreadsBatch: 1, FlashAttn: llama.FlashOff, TypeK: archKeys(m), TypeV: archKeys(m),
	}
	c, err := m.NewContext(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, c.Close) })
	return c
}

// logits computes the whole text at once.
func (k *kind) logits(r *rapid.T, text []engine.Token) [][]float32 {
	k.batch.Clear()
	for pos, token := range text {
		if err := k.batch.Add(token, int32(pos), true, 0); err != nil {
			r.Fatal(err)
		}
	}
	if err := k.plain.ClearMemory(false); err != nil {
		r.Fatal(err)
	}
	return k.decode(r, k.plain)
}

// decode computes the batch, all of whose tokens have outputs.
func (k *kind) decode(r *rapid.T, c *llama.Context) [][]float32 {
	if err := c.Decode(r.Context(), k.batch); err != nil {
		r.Fatal(err)
	}
	out := make([][]float32, k.batch.Len())
	for i := range out {
		logits, err := c.Logits(i)
		if err != nil {
			r.Fatal(err)
		}
		out[i] = slices.Clone(logits)
	}
	return out
}

// tree is what the sequences of a context should hold.
type tree struct {
	*kind
	seqs [treeSequences]branch
	seen []treeOutput
}

// branch is a sequence: what it reads, and of that how much is another's.
type branch struct {
	text []engine.Token
	own  int // the first position of its own cells
	to   int // what it is attached to, or −1
}

// treeOutput is what a tree computed after a text.
type treeOutput struct {
	text   []engine.Token
	depth  int // how many sequences it is behind
	logits []float32
}

func newTree(r *rapid.T, k *kind) *tree {
	if err := k.attached.ClearMemory(false); err != nil {
		r.Fatal(err)
	}
	x := &tree{kind: k}
	for i := range x.seqs {
		x.seqs[i].to = -1
	}
	k.trees++
	return x
}

// grow makes a chain and attaches some of the other sequences to its parts.
func (x *tree) grow(r *rapid.T) {
	parts := rapid.IntRange(2, 4).Draw(r, "parts")
	for part := range parts {
		if part > 0 {
			x.attachTo(r, part, part-1)
		}
		most := 40
		if part == 0 {
			most = 110
		}
		counts := make([]int, treeSequences)
		counts[part] = rapid.IntRange(1, most).Draw(r, "tokens of a part")
		x.decodeNext(r, counts)
	}
	for seq := parts; seq < treeSequences; seq++ {
		if end := rapid.IntRange(-1, parts-1).Draw(r, "attached to"); end >= 0 {
			x.attachTo(r, seq, end)
		}
	}
}

// append computes some next tokens of some sequences in one batch: one of each,
// as turns do, or unequal counts.
func (x *tree) append(r *rapid.T) {
	counts := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 1, 2, 9}), treeSequences, treeSequences)
	if rapid.Bool().Draw(r, "one of each") {
		counts = rapid.SliceOfN(rapid.IntRange(0, 1), treeSequences, treeSequences)
	}
	x.decodeNext(r, counts.Draw(r, "counts"))
}

// decodeNext draws and computes that many tokens of each sequence, as far as it
// has room.
func (x *tree) decodeNext(r *rapid.T, counts []int) {
	x.batch.Clear()
	var outputs []treeOutput
	for seq, n := range counts {
		s := &x.seqs[seq]
		n = min(n, treeTokens-len(s.text))
		for _, token := range rapid.SliceOfN(rapid.Int32Range(0, archVocab-1), n, n).Draw(r, "tokens") {
			if err := x.batch.Add(token, int32(len(s.text)), true, int32(seq)); err != nil {
				r.Fatal(err)
			}
			s.text = append(slices.Clip(s.text), token)
			outputs = append(outputs, treeOutput{text: s.text, depth: x.depth(seq)})
		}
	}
	if len(outputs) == 0 {
		return
	}
	for i, logits := range x.decode(r, x.attached) {
		outputs[i].logits = logits
	}
	x.seen = append(x.seen, outputs...)
}

// depth is how many sequences one is behind.
func (x *tree) depth(seq int) int {
	n := 0
	for ; x.seqs[seq].to >= 0; seq = x.seqs[seq].to {
		n++
	}
	return n
}

// read is how far others read a sequence.
func (x *tree) read(seq int) int {
	end := 0
	for _, s := range x.seqs {
		if s.to == seq {
			end = max(end, s.own)
		}
	}
	return end
}

// cut drops a sequence's end, or all of it, which detaches it. What is not its
// own and what others read stays.
func (x *tree) cut(r *rapid.T) {
	seq := drawSequence(r, "sequence")
	s := &x.seqs[seq]
	from := rapid.SampledFrom([]int{0, s.own, len(s.text), rapid.IntRange(0, len(s.text)).Draw(r, "anywhere")}).Draw(r, "from")
	want := from >= max(s.own, x.read(seq)) || (from == 0 && x.read(seq) == 0)
	if got := x.attached.SeqRemove(int32(seq), int32(from), -1); got != want {
		r.Fatalf("sequence %d of %d tokens, %d of them its own, could be cut to %d: %v, want %v", seq, len(s.text), len(s.text)-s.own, from, got, want)
	}
	switch {
	case want && from == 0:
		*s = branch{to: -1}
	case want:
		s.text = s.text[:from]
	}
}

// attach makes a sequence go on behind another one, which takes that it holds
// nothing and the other one something.
func (x *tree) attach(r *rapid.T) {
	x.attachTo(r, drawSequence(r, "sequence"), drawSequence(r, "behind"))
}

func (x *tree) attachTo(r *rapid.T, seq, src int) {
	s, from := &x.seqs[seq], x.seqs[src]
	want := len(s.text) == s.own && len(from.text) > from.own && !x.behind(src, seq)
	if got := x.attached.SeqAttach(int32(seq), int32(src)); got != want {
		r.Fatalf("sequence %d could be attached to %d: %v, want %v of %+v", seq, src, got, want, x.seqs)
	}
	if want {
		*s = branch{text: from.text, own: len(from.text), to: src}
	}
}

// behind reports whether a sequence is another one, or behind it.
func (x *tree) behind(seq, other int) bool {
	for ; seq >= 0; seq = x.seqs[seq].to {
		if seq == other {
			return true
		}
	}
	return false
}

// copy replaces a sequence that no other reads by a copy, which is attached to
// what the copied one is attached to.
func (x *tree) copy(r *rapid.T) {
	src, dst := drawSequence(r, "copied"), drawSequence(r, "to")
	if src == dst || x.read(dst) > 0 {
		r.Skip("llama.cpp aborts")
	}
	if err := x.attached.SeqCopy(int32(src), int32(dst), -1, -1); err != nil {
		r.Fatal(err)
	}
	x.seqs[dst] = x.seqs[src]
}

func drawSequence(r *rapid.T, label string) int {
	return rapid.IntRange(0, treeSequences-1).Draw(r, label)
}

func (x *tree) checkPositions(r *rapid.T) {
	for seq, s := range x.seqs {
		first := min(0, len(s.text)-1)
		if lo, hi := x.attached.SeqPosMin(int32(seq)), x.attached.SeqPosMax(int32(seq)); int(lo) != first || int(hi) != len(s.text)-1 {
			r.Fatalf("sequence %d of %d tokens has positions %d to %d", seq, len(s.text), lo, hi)
		}
	}
}

// compare computes each text once, with all that go on from it, and compares
// what the tree computed on its way there.
func (x *tree) compare(r *rapid.T) {
	slices.SortStableFunc(x.seen, func(a, b treeOutput) int { return len(b.text) - len(a.text) })
	plain := map[string][]float32{}
	for _, got := range x.seen {
		if plain[key(got.text)] == nil {
			for pos, logits := range x.logits(r, got.text) {
				plain[key(got.text[:pos+1])] = logits
			}
		}
		d := difference(got.logits, plain[key(got.text)])
		x.worst = max(x.worst, d)
		if !(d <= treeTolerance) {
			r.Fatalf("after %d tokens, behind %d sequences, the logits differ by %g of their range", len(got.text), got.depth, d)
		}
		x.outputs++
	}
}
