package llamatest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/llama"
)

// TestEveryKindOfMemory runs a loop over tokens on tiny random models of other
// architectures: sliding windows, recurrent states, attention beside states,
// experts. In both layouts the logits of rows that share sequences and prefixes
// are those of llama.cpp computing each conversation at once from its first
// token; in streams they give the tokens of rows computed alone, and reuse is
// what the kind of memory allows.
func TestEveryKindOfMemory(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(archFolder(t), "*.gguf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts/build-archs wrote no models: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".gguf"), func(t *testing.T) {
			m := openArch(t, path)
			alone := runArch(t, m, runner.ContextPlan{Sequences: 1}, engine.Config{NoReuse: true, Verify: true})
			for _, unified := range []bool{false, true} {
				name := "streams"
				if unified {
					name = "unified"
				}
				t.Run(name, func(t *testing.T) {
					if unified && m.Hybrid() && m.SWA() > 0 {
						refusesUnified(t, m)
						return
					}
					// Fewer sequences than rows, and one that holds the preamble.
					got := runArch(t, m, runner.ContextPlan{Sequences: 3, Unified: unified}, engine.Config{Verify: true})
					got.compareWithPlain(t, m)
					got.checkCounts(t)
					if !unified {
						got.compareWithAlone(t, alone)
						got.checkReuse(t, m.Recurrent() || m.Hybrid())
					}
				})
			}
		})
	}
}

// archFolder holds the models of scripts/build-archs, which writes them if need
// be.
func archFolder(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "..", "..", "scripts", "build-archs"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("scripts/build-archs: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func refusesUnified(t *testing.T, m *llama.Model) {
	t.Helper()
	b, err := runner.NewBackend(m, runner.ContextPlan{Sequences: 2, Limit: archContext, Context: archContext, Unified: true})
	if err == nil {
		closing(t, b.Close)
	}
	if err == nil || !strings.Contains(err.Error(), "use streams") {
		t.Errorf("unified cells for a window beside states: %v", err)
	}
}

func openArch(t *testing.T, path string) *llama.Model {
	t.Helper()
	m, err := llama.LoadModel(t.Context(), path, llama.ModelParams{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, m.Close) })
	return m
}

const (
	archContext  = 256 // what the models are made for
	archVocab    = 128
	archWindow   = 32 // of the models that have one
	archRows     = 4
	archPreamble = archWindow + 12 // tokens that all rows begin with
	archAnswer   = 10              // tokens of a turn of the first row; others get more, so that turns end apart
)

// archTolerance is how far a logit may be from that of the plain computation,
// as a share of all logits' range. In streams there was no difference on AVX2;
// unified cells are summed in another order, which made 0.000003. A token that
// one of the window's cells was missing for made 0.00002.
const archTolerance = 1e-5

// archTurns are a row's turns after its first: how many tokens of the last
// turn's end are dropped, before a request of some tokens is added.
var archTurns = []struct{ drop, request int }{
	{0, 6}, {0, 6},
	{archWindow + 10, 6}, // further back than the window reaches
	{0, 6},
	{3, 6}, // back by less
}

// archRun is what rows gave.
type archRun struct {
	rows  [][]archTurn
	stats engine.Stats
	cache *logitKeeper
}

type archTurn struct {
	prompt []engine.Token
	engine.Result
}

func (a archTurn) whole() []engine.Token { return slices.Concat(a.prompt, a.Tokens) }

// archKeys is the type of cached keys. In f16 another order of sums can round a
// key otherwise, which made 0.000011 of the range; deepseek2 has keys and values
// in one tensor, so its keys cannot have a type of their own.
func archKeys(m *llama.Model) llama.KVType {
	if arch, _ := m.Meta("general.architecture"); arch == "deepseek2" {
		return llama.KVF16
	}
	return llama.KVF32
}

// runArch runs all rows of one model in a context of their own.
func runArch(t *testing.T, m *llama.Model, s runner.ContextPlan, c engine.Config) *archRun {
	t.Helper()
	s.Limit, s.Context, s.Threads, s.FlashAttn, s.TypeK = archContext, archContext, 1, llama.FlashOff, archKeys(m)
	b, err := runner.NewBackend(m, s)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	cache := &logitKeeper{Backend: b, held: make([][]engine.Token, s.Sequences), logits: map[string][]float32{}}
	e, err := engine.New(cache, letters{}, c)
	if err != nil {
		t.Fatal(err)
	}
	run := &archRun{rows: make([][]archTurn, archRows), cache: cache}
	random := rand.New(rand.NewPCG(1, 2))
	preamble := draw(random, archPreamble)
	if err := e.Pin(t.Context(), preamble); err != nil {
		t.Fatal(err)
	}
	for i := range archRows {
		// Rows differ from their first own token on, so that they share the preamble alone.
		own := append([]engine.Token{engine.Token(i)}, draw(random, 5+i)...)
		run.submit(t, e, i, rand.New(rand.NewPCG(3, uint64(i))), slices.Concat(preamble, own))
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	run.stats = e.Stats()
	return run
}

// submit runs a row's next turn and all after it.
func (run *archRun) submit(t *testing.T, e *engine.Engine, row int, random *rand.Rand, prompt []engine.Token) {
	r := engine.Request{Tokens: prompt, MaxTokens: archAnswer + row}
	r.Done = func(res engine.Result) {
		if res.Err != nil {
			t.Errorf("row %d turn %d: %v", row, len(run.rows[row]), res.Err)
			return
		}
		turn := archTurn{prompt, res}
		done := len(run.rows[row])
		run.rows[row] = append(run.rows[row], turn)
		if done == len(archTurns) {
			return
		}
		whole, next := turn.whole(), archTurns[done]
		run.submit(t, e, row, random, slices.Concat(whole[:len(whole)-next.drop], draw(random, next.request)))
	}
	if err := e.Submit(&r); err != nil {
		t.Error(err)
	}
}

func draw(random *rand.Rand, n int) []engine.Token {
	out := make([]engine.Token, n)
	for i := range out {
		out[i] = random.Int32N(archVocab)
	}
	return out
}

// compareWithPlain computes each conversation, once for each branch, with
// nothing but llama_decode, and compares the logits of every token that the
// engine drew.
func (run *archRun) compareWithPlain(t *testing.T, m *llama.Model) {
	t.Helper()
	compared := map[string]bool{}
	var worst float32
	for _, row := range run.rows {
		for i, turn := range row {
			if i+1 < len(row) && archTurns[i].drop == 0 {
				continue // the next turn's conversation begins with this one
			}
			whole := turn.whole()
			for pos, want := range plainLogits(t, m, archKeys(m), whole) {
				begin := key(whole[:pos+1])
				if got, ok := run.cache.logits[begin]; ok {
					compared[begin] = true
					worst = max(worst, difference(got, want))
				}
			}
		}
	}
	if len(compared) != len(run.cache.logits) {
		t.Errorf("compared the logits of %d tokens, the engine read those of %d", len(compared), len(run.cache.logits))
	}
	if worst > archTolerance {
		t.Errorf("logits differ by up to %g of their range", worst)
	}
	t.Logf("logits of %d tokens, worst difference %g", len(compared), worst)
}

// plainLogits computes tokens at once in a context of their own and returns
// the logits after each.
func plainLogits(t *testing.T, m *llama.Model, keys llama.KVType, tokens []engine.Token) [][]float32 {
	t.Helper()
	size := max(archContext, runner.StreamCells(len(tokens), 0))
	c, err := m.NewContext(llama.ContextParams{Ctx: size, Batch: size, UBatch: size, Threads: 1, ThreadsBatch: 1, FlashAttn: llama.FlashOff, TypeK: keys})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, c.Close)
	b, err := llama.NewBatch(size, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, b.Close)
	for i, tok := range tokens {
		if err := b.Add(tok, int32(i), true, 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Decode(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	out := make([][]float32, len(tokens))
	for i := range out {
		logits, err := c.Logits(i)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = slices.Clone(logits)
	}
	return out
}

// difference is the largest between two vectors of logits, as a share of the
// range of the second.
func difference(a, b []float32) float32 {
	var worst float32
	for i := range a {
		worst = max(worst, a[i]-b[i], b[i]-a[i])
	}
	return worst / (slices.Max(b) - slices.Min(b))
}

func (run *archRun) compareWithAlone(t *testing.T, alone *archRun) {
	t.Helper()
	for i, row := range run.rows {
		for j, turn := range row {
			if want := alone.rows[i][j]; !slices.Equal(turn.Tokens, want.Tokens) {
				t.Errorf("row %d turn %d: %v, alone %v", i, j, turn.Tokens, want.Tokens)
				break // later turns start from other tokens
			}
		}
	}
}

// checkCounts: every prompt token was either computed or found.
func (run *archRun) checkCounts(t *testing.T) {
	t.Helper()
	prompts, reused, turns := 0, 0, 0
	for _, row := range run.rows {
		for _, turn := range row {
			prompts += turn.Prompt
			reused += turn.Reused
			turns++
		}
	}
	s := run.stats
	if s.Prefilled+s.Reused != prompts+archPreamble || s.Reused != reused || s.Preempted != 0 || turns != archRows*(1+len(archTurns)) {
		t.Errorf("%d turns of %d prompt tokens and a preamble of %d, %d reused by the results: %+v", turns, prompts, archPreamble, reused, s)
	}
	t.Logf("%+v", s)
}

// checkReuse: a turn finds what its row's last turn left in the cache as far as
// it agrees with it, or, where a memory cannot be cut, if it is all that is
// there; else the preamble.
func (run *archRun) checkReuse(t *testing.T, whole bool) {
	t.Helper()
	for i, row := range run.rows {
		var held []engine.Token
		for j, turn := range row {
			want := common(held, turn.prompt[:len(turn.prompt)-1])
			if whole && want < len(held) {
				want = 0
			}
			if want = max(want, archPreamble); turn.Reused != want {
				t.Errorf("row %d turn %d: %d of %d prompt tokens reused, want %d", i, j, turn.Reused, turn.Prompt, want)
			}
			held = turn.whole()
			held = held[:len(held)-1] // the last token was drawn and not computed
		}
	}
}

func common(a, b []engine.Token) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// logitKeeper is a Backend that keeps the logits which the engine reads, by the
// tokens that the sequence holds.
type logitKeeper struct {
	*runner.Backend
	held   [][]engine.Token
	last   []engine.Input
	logits map[string][]float32
}

func key(tokens []engine.Token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte(byte(t))
	}
	return b.String()
}

// Decode implements engine.Backend.
func (r *logitKeeper) Decode(ctx context.Context, batch []engine.Input) error {
	err := r.Backend.Decode(ctx, batch)
	if err != nil {
		return err
	}
	r.last = slices.Clone(batch)
	for _, in := range batch {
		if len(r.held[in.Seq]) != int(in.Pos) {
			return errors.New("a token at another position than the next")
		}
		r.held[in.Seq] = append(r.held[in.Seq], in.Token)
	}
	return nil
}

// Logits implements engine.Backend.
func (r *logitKeeper) Logits(i int) ([]float32, error) {
	logits, err := r.Backend.Logits(i)
	in := r.last[i]
	r.logits[key(r.held[in.Seq][:in.Pos+1])] = slices.Clone(logits)
	return logits, err
}

// Copy implements engine.Backend.
func (r *logitKeeper) Copy(src, dst, n int) bool {
	ok := r.Backend.Copy(src, dst, n)
	if ok {
		r.held[dst] = slices.Clone(r.held[src][:n])
	}
	return ok
}

// Attach implements engine.Backend.
func (r *logitKeeper) Attach(src, dst int) bool {
	ok := r.Backend.Attach(src, dst)
	if ok {
		r.held[dst] = slices.Clone(r.held[src])
	}
	return ok
}

// Cut implements engine.Backend.
func (r *logitKeeper) Cut(seq, n int) bool {
	ok := r.Backend.Cut(seq, n)
	if ok {
		r.held[seq] = slices.Clip(r.held[seq][:min(n, len(r.held[seq]))])
	}
	return ok
}

// letters is a vocabulary in which no token ends a turn.
type letters struct{}

func (letters) Piece(t engine.Token) []byte { return []byte{'a' + byte(t%26)} }
func (letters) Ends(engine.Token) bool      { return false }
