package llamatest

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
	"amend/models"
)

var deterministicFull = flag.Bool("deterministic.full", false, "larger shapes, and 16 sequences from their first tokens on")

const (
	exactTokens = 580 // of every sequence: deeper than 512, where llama.cpp may choose other kernels
	exactFrom   = 512 // logits from this position on are compared
	exactVocab  = 320
)

// exactSetting is what a context is made with, beside its number of sequences.
type exactSetting struct {
	name    string
	repack  bool
	unified bool
	flash   llama.FlashAttn
	keys    llama.KVType
}

// deterministicSetting is that of --deterministic.
func deterministicSetting() exactSetting {
	return exactSetting{name: "--deterministic", flash: llama.FlashOff, keys: llama.KVF16}
}

// TestLogitsDependOnTheirOwnRowAlone: with the settings of --deterministic the
// logits of a sequence have the same bits however it was computed: alone or
// beside others, in chunks of any size, as a copy of a part of another, behind
// guesses that were taken back, and on any number of threads.
func TestLogitsDependOnTheirOwnRowAlone(t *testing.T) {
	for _, shape := range exactShapes() {
		for _, quant := range exactQuants() {
			path, ok := exactFile(t, shape, quant)
			if !ok {
				continue
			}
			t.Run(shape+"/"+quant, func(t *testing.T) {
				for _, d := range exactDifferences(t, path, deterministicSetting()) {
					t.Errorf("%s differs from one token at a time %s", d.way, d)
				}
			})
		}
	}
}

// TestLogitsWithKeysInQ8: the same with --kv-type q8_0.
func TestLogitsWithKeysInQ8(t *testing.T) {
	path, _ := exactFile(t, exactShapes()[0], "Q4_1")
	setting := deterministicSetting()
	setting.keys = llama.KVQ8_0
	for _, d := range exactDifferences(t, path, setting) {
		t.Errorf("%s differs from one token at a time %s", d.way, d)
	}
}

// TestLogitsOfGrids: types that are indices into grids (IQ4_XS and the like) are
// computed by another kernel from 8 tokens on, unless ggml is told not to
// before it first does.
func TestLogitsOfGrids(t *testing.T) {
	if *deterministicTable {
		t.Skip("ggml reads the variable once, and the table is to show what it does without")
	}
	t.Setenv("GGML_NO_IQ_PANEL", "1")
	path, _ := exactFile(t, "2,256,512,4,2", "IQ4_XS")
	for _, d := range exactDifferences(t, path, deterministicSetting()) {
		t.Errorf("%s differs from one token at a time %s", d.way, d)
	}
}

// exactShapes have widths that are and are not multiples of 256, heads of 32,
// 64 and 128 in groups of 1 to 3, and feed-forwards that are not multiples of
// 256.
func exactShapes() []string {
	if *deterministicFull {
		return []string{"2,192,320,6,2", "2,256,512,4,2", "2,512,1280,4,2", "3,576,1536,9,3", "2,256,768,8,8"}
	}
	return []string{"2,96,160,3,1", "2,128,192,2,2", "1,256,256,2,1", "2,256,512,4,2"}
}

func exactQuants() []string { return []string{"F16", "Q8_0", "Q4_1", "Q4_0", "Q4_K_M"} }

// exactFile writes a model of random weights. ok is false where a row of its
// matrices is not a whole number of the type's blocks, and other types would
// take its place.
func exactFile(t *testing.T, shape, quant string) (path string, ok bool) {
	t.Helper()
	s, err := models.ParseShape(shape)
	if err != nil {
		t.Fatal(err)
	}
	grid := strings.HasPrefix(quant, "IQ")
	if (grid || strings.Contains(quant, "_K")) && (s.Embedding%256 != 0 || s.FeedForward%256 != 0) {
		return "", false
	}
	path = filepath.Join(t.TempDir(), "exact.gguf")
	spec := models.Spec{Shape: s, Quant: quant, Seed: 1, Tokenizer: exactTokenizer(t)}
	if grid {
		spec.Quant = "F16" // Synth writes no grids
	}
	if _, err := models.Synth(t.Context(), path, spec, false, nil); err != nil {
		t.Fatal(err)
	}
	if !grid {
		return path, true
	}
	file, err := llama.ParseFileType(quant)
	if err != nil {
		t.Fatal(err)
	}
	if err := llama.Quantize(path, path+".grid", llama.QuantizeParams{FileType: file}); err != nil {
		t.Fatal(err)
	}
	return path + ".grid", true
}

// exactTokenizer is a vocabulary of as many tokens as the test needs: with a
// real one, nearly all time would go to logits.
func exactTokenizer(t *testing.T) *models.Model {
	t.Helper()
	var tokens []string
	for i := range exactVocab {
		tokens = append(tokens, fmt.Sprintf("t%d", i))
	}
	path := filepath.Join(t.TempDir(), "vocabulary.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := models.NewWriter(f, []models.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "tokenizer.ggml.model", Value: "gpt2"},
		{Key: "tokenizer.ggml.pre", Value: "smollm"},
		{Key: "tokenizer.ggml.tokens", Value: tokens},
		{Key: "tokenizer.ggml.token_type", Value: slices.Repeat([]int32{1}, exactVocab)},
		{Key: "tokenizer.ggml.merges", Value: []string{"t 1"}},
		{Key: "tokenizer.ggml.eos_token_id", Value: uint32(2)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, w.Close)
	closing(t, f.Close)
	m, err := models.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// exactDifference is a way of computing the watched sequence that gave it other
// logits than one token at a time does.
type exactDifference struct {
	way       string
	at, count int     // first position, and how many
	worst     float64 // largest difference of a logit
}

func (d exactDifference) String() string {
	return fmt.Sprintf("in %d positions, from %d on, by up to %g", d.count, d.at, d.worst)
}

// exactWays are ways of computing the watched sequence to its end. The first is
// what the others are compared with.
func exactWays() []exactWay {
	alone := func(chunk int) func(*exactScene) {
		return func(s *exactScene) { s.until(exactTokens, chunk) }
	}
	together := func(s *exactScene) {
		if !*deterministicFull {
			s.until(496, 124, 124, 124) // the test's time goes where it can differ
		}
		s.until(exactTokens, slices.Repeat([]int{32}, 16)...)
	}
	return []exactWay{
		{"one token at a time", 1, 1, 0, alone(1)},
		{"chunks of 512", 2, 1, 0, alone(512)},
		{"16 together", 2, 16, 2, together},
		{"unequal chunks", 2, 4, 1, (*exactScene).unequal},
		{"a copy", 2, 3, 2, (*exactScene).fork},
		{"guesses", 2, 3, 0, (*exactScene).guess},
		{"3 threads", 3, 1, 0, alone(100)},
	}
}

type exactWay struct {
	name      string
	threads   int
	sequences int
	watched   int
	compute   func(*exactScene)
}

// exactDifferences computes the same tokens in all ways.
func exactDifferences(t *testing.T, path string, setting exactSetting) []exactDifference {
	t.Helper()
	m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{NoRepack: !setting.repack})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, m.Close)
	var want map[int][]float32
	var found []exactDifference
	for _, way := range exactWays() {
		s := newExactScene(t, m, setting, way)
		way.compute(s)
		closing(t, s.b.Close)
		if want == nil {
			want = s.seen
			continue
		}
		d := exactDifference{way: way.name, at: exactTokens}
		for pos, got := range s.seen {
			if worst, same := compareBits(got, want[pos]); !same {
				d.at, d.count, d.worst = min(d.at, pos), d.count+1, max(d.worst, worst)
			}
		}
		if len(s.seen) < 20 || s.at[s.watched] != exactTokens {
			t.Errorf("%s: logits of %d positions to %d were read", way.name, len(s.seen), s.at[s.watched])
		}
		if d.count > 0 {
			found = append(found, d)
		}
	}
	return found
}

func compareBits(a, b []float32) (worst float64, same bool) {
	same = len(a) == len(b)
	for i := range min(len(a), len(b)) {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			same = false
			worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
		}
	}
	return worst, same
}

// exactScene is a context and what its sequences hold.
type exactScene struct {
	t       *testing.T
	b       *runner.Backend
	random  *rand.Rand
	watched int
	texts   [][]engine.Token
	at      []int             // tokens of each that the cache holds
	seen    map[int][]float32 // logits of the watched one, by position
}

func newExactScene(t *testing.T, m *llama.Model, setting exactSetting, way exactWay) *exactScene {
	t.Helper()
	b, err := runner.NewBackend(m, runner.ContextPlan{
		Sequences: way.sequences, Limit: exactTokens + 8, Context: 768, Threads: way.threads,
		Unified: setting.unified, FlashAttn: setting.flash, TypeK: setting.keys,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &exactScene{t: t, b: b, random: rand.New(rand.NewPCG(1, 1)), watched: way.watched, at: make([]int, way.sequences), seen: map[int][]float32{}}
	for i := range way.sequences {
		s.texts = append(s.texts, exactText(uint64(1+i)))
	}
	s.texts[way.watched] = exactText(0)
	return s
}

// exactText is one of as many texts as there are numbers.
func exactText(n uint64) []engine.Token {
	random := rand.New(rand.NewPCG(2, n))
	text := make([]engine.Token, exactTokens+8)
	for i := range text {
		text[i] = random.Int32N(exactVocab)
	}
	return text
}

// pass computes that many next tokens of each sequence in one batch, and reads
// logits of the watched one: after its last token, as of a prompt, and after
// some before.
func (s *exactScene) pass(counts ...int) {
	s.t.Helper()
	var batch []engine.Input
	wanted := map[int]int{}
	for seq, n := range counts {
		n = min(n, exactTokens+8-s.at[seq])
		for i := range n {
			pos := s.at[seq] + i
			in := engine.Input{Token: s.texts[seq][pos], Pos: int32(pos), Seq: seq}
			if seq == s.watched && pos >= exactFrom && (pos%3 == 0 || i == n-1) {
				in.Logits = true
				wanted[pos] = len(batch)
			}
			batch = append(batch, in)
		}
		s.at[seq] += n
	}
	if err := s.b.Decode(s.t.Context(), batch); err != nil {
		s.t.Fatal(err)
	}
	for pos, i := range wanted {
		logits, err := s.b.Logits(i)
		if err != nil {
			s.t.Fatal(err)
		}
		s.seen[pos] = slices.Clone(logits)
	}
}

// until repeats a pass until the watched sequence holds n tokens; its last
// chunks are as long as is left.
func (s *exactScene) until(n int, counts ...int) {
	s.t.Helper()
	for s.at[s.watched] < n {
		counts[s.watched] = min(counts[s.watched], n-s.at[s.watched])
		s.pass(counts...)
	}
}

// unequal computes chunks of many sizes, of several sequences in one batch.
func (s *exactScene) unequal() {
	s.t.Helper()
	sizes := []int{0, 1, 2, 3, 7, 8, 9, 31, 64, 100}
	for s.at[s.watched] < exactTokens {
		counts := make([]int, len(s.at))
		for i := range counts {
			counts[i] = sizes[s.random.IntN(len(sizes))]
		}
		counts[s.watched] = min(max(1, counts[s.watched]), exactTokens-s.at[s.watched])
		s.pass(counts...)
	}
}

// fork takes the first 300 tokens from a sequence that begins with them and has
// gone on, and then computes both.
func (s *exactScene) fork() {
	s.t.Helper()
	const shared = 300
	copy(s.texts[0], s.texts[s.watched][:shared])
	for s.at[0] < 400 {
		s.pass(80, 33)
	}
	if !s.b.Copy(0, s.watched, shared) {
		s.t.Fatal("a sequence could not be copied")
	}
	s.at[s.watched] = shared
	s.until(exactTokens, 5, 0, 5)
}

// guess computes the last tokens with guesses behind each, some of them wrong,
// which are taken back.
func (s *exactScene) guess() {
	s.t.Helper()
	s.until(440, 110, 90, 100)
	text := s.texts[s.watched]
	for s.at[s.watched] < exactTokens {
		from := s.at[s.watched]
		guesses := min(s.random.IntN(8), exactTokens-1-from)
		right := s.random.IntN(guesses + 1)
		s.texts[s.watched] = slices.Clone(text)
		for i := from + 1 + right; i <= from+guesses; i++ {
			s.texts[s.watched][i] = (text[i] + 1) % exactVocab
		}
		s.pass(1+guesses, 1+guesses, 1+guesses)
		end := from + 1 + right
		for pos := end; pos <= from+guesses; pos++ {
			delete(s.seen, pos)
		}
		if !s.b.Cut(s.watched, end) {
			s.t.Fatal("guesses could not be taken back")
		}
		s.at[s.watched] = end
	}
	s.texts[s.watched] = text
}
