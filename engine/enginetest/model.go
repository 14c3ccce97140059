// Package enginetest has a Backend for tests without cgo. Its "model" is a
// hash, but its KV cache is kept as llama.cpp keeps one: positions must follow
// each other, cells run out, a copy between streams is of a whole sequence,
// and what a sequence holds decides its logits, so a mistake in book-keeping
// shows as other tokens.
package enginetest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"amend/engine"
)

// VocabSize is the number of the model's tokens. Token 0 ends a turn, the
// others stand for letters.
const VocabSize = 27

// Model is a deterministic engine.Backend and engine.Vocab. Its zero limits
// are not usable; make one with New. It is not safe for concurrent use.
type Model struct {
	limits engine.Limits
	// EndBias makes turns end earlier: it is added to the logit of token 0.
	EndBias float32
	// Poison is a token after which the logits are not numbers; 0 for none.
	Poison engine.Token
	// Repeat makes the model go on as it did the last time its last token came:
	// it is added to that token's logit, so that drafted tokens are right at times.
	Repeat int
	// Plain makes predictions that cost next to nothing and allocate nothing, for
	// benchmarks of what stands around the model.
	Plain bool
	// Slots, when positive, is how many cells there really are, so that
	// Decode can run out of room where Limits promised some.
	Slots int

	cancelIn int // decodes until cancel is called; 0 for never
	cancel   func()

	plain   [VocabSize]float32
	letters []byte
	seqs    [][]cell
	// attached is how many leading tokens a sequence reads of another.
	attached map[int]int
	logits   [][]float32
	nextID   int
	// Batches records the size of every batch computed, in order.
	Batches []int
}

type cell struct {
	token engine.Token
	id    int // equal for sequences that share the cell
}

// New returns a model with an empty cache.
func New(l engine.Limits) *Model {
	m := &Model{limits: l, seqs: make([][]cell, l.Sequences), letters: []byte("abcdefghijklmnopqrstuvwxyz")}
	m.plain[1] = 1
	return m
}

// Limits implements engine.Backend.
func (m *Model) Limits() engine.Limits { return m.limits }

// Decode implements engine.Backend.
func (m *Model) Decode(ctx context.Context, batch []engine.Input) error {
	if m.cancelIn > 0 {
		if m.cancelIn--; m.cancelIn == 0 {
			m.cancel()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(batch) == 0 || len(batch) > m.limits.Batch {
		return fmt.Errorf("a batch of %d tokens, at most %d: %w", len(batch), m.limits.Batch, engine.ErrFatal)
	}
	if m.Slots > 0 && m.used()+len(batch) > m.Slots {
		return engine.ErrNoSlot
	}
	m.logits = append(m.logits[:0], make([][]float32, len(batch))...)
	for i, in := range batch {
		if have := len(m.seqs[in.Seq]); int(in.Pos) != have || have >= m.limits.Context {
			return fmt.Errorf("sequence %d: position %d after %d of %d cells: %w", in.Seq, in.Pos, have, m.limits.Context, engine.ErrFatal)
		}
		m.nextID++
		m.seqs[in.Seq] = append(m.seqs[in.Seq], cell{in.Token, m.nextID})
		if m.used() > m.limits.Cells {
			return fmt.Errorf("%d cells of %d: %w", m.used(), m.limits.Cells, engine.ErrFatal)
		}
		if in.Logits {
			m.logits[i] = m.predict(m.seqs[in.Seq])
		}
	}
	m.Batches = append(m.Batches, len(batch))
	return nil
}

// CancelAfter calls cancel at the start of the n-th Decode from now; n = 0 never
// does.
func (m *Model) CancelAfter(n int, cancel func()) { m.cancelIn, m.cancel = n, cancel }

func (m *Model) used() int {
	if !m.limits.Unified {
		return 0 // each sequence has cells of its own, Context of them
	}
	seen := map[int]bool{}
	for _, s := range m.seqs {
		for _, c := range s {
			seen[c.id] = true
		}
	}
	return len(seen)
}

// predict makes logits from everything that the sequence holds.
func (m *Model) predict(s []cell) []float32 {
	if m.Plain {
		return m.plain[:]
	}
	h := uint64(14695981039346656037)
	for _, c := range s {
		h = (h ^ uint64(c.token)) * 1099511628211
	}
	out := make([]float32, VocabSize)
	for i := range out {
		h ^= h << 13
		h ^= h >> 7
		h ^= h << 17
		out[i] = float32(h%1000) / 200
	}
	out[0] += m.EndBias
	for i := len(s) - 2; i >= 0 && m.Repeat > 0; i-- {
		if s[i].token == s[len(s)-1].token {
			out[s[i+1].token] += float32(m.Repeat)
			break
		}
	}
	if m.Poison != 0 && s[len(s)-1].token == m.Poison {
		nan := float32(0)
		out[3] = nan / nan
	}
	return out
}

// Logits implements engine.Backend.
func (m *Model) Logits(i int) ([]float32, error) {
	if i >= len(m.logits) || m.logits[i] == nil {
		return nil, fmt.Errorf("no logits were asked for at input %d", i)
	}
	return m.logits[i], nil
}

// Copy implements engine.Backend.
func (m *Model) Copy(src, dst, n int) bool {
	if len(m.seqs[dst]) > 0 || src == dst || (m.limits.Uncuttable && n < len(m.seqs[src])) {
		return false
	}
	for _, c := range m.seqs[src][:n] {
		if !m.limits.Unified {
			m.nextID++
			c.id = m.nextID
		}
		m.seqs[dst] = append(m.seqs[dst], c)
	}
	return true
}

// Attach implements engine.Backend: a copy that can be cut only as an attached
// sequence can.
func (m *Model) Attach(src, dst int) bool {
	if m.limits.Unified || m.limits.Uncuttable || !m.Copy(src, dst, len(m.seqs[src])) {
		return false
	}
	if m.attached == nil {
		m.attached = map[int]int{}
	}
	m.attached[dst] = len(m.seqs[src])
	return true
}

// Cut implements engine.Backend.
func (m *Model) Cut(seq, n int) bool {
	if n == 0 {
		delete(m.attached, seq)
	}
	if n < m.attached[seq] {
		return false
	}
	if m.limits.Uncuttable && n != 0 && n < len(m.seqs[seq]) {
		return false
	}
	m.seqs[seq] = slices.Clip(m.seqs[seq][:min(n, len(m.seqs[seq]))])
	return true
}

// Positions implements engine.Backend.
func (m *Model) Positions(seq int) (first, last int) {
	if len(m.seqs[seq]) == 0 {
		return -1, -1
	}
	return 0, len(m.seqs[seq]) - 1
}

// SaveSequence implements engine.Backend: four bytes a token.
func (m *Model) SaveSequence(seq int) ([]byte, error) {
	var state []byte
	for _, c := range m.seqs[seq] {
		state = binary.LittleEndian.AppendUint32(state, uint32(c.token))
	}
	return state, nil
}

// RestoreSequence implements engine.Backend.
func (m *Model) RestoreSequence(seq int, state []byte) error {
	m.seqs[seq] = nil
	n := len(state) / 4
	if len(state)%4 != 0 || n > m.limits.Context || m.used()+n > m.limits.Cells {
		return fmt.Errorf("a state of %d bytes is not one of a sequence with room in %d cells", len(state), m.limits.Context)
	}
	for i := range n {
		m.nextID++
		token := engine.Token(binary.LittleEndian.Uint32(state[4*i:]))
		m.seqs[seq] = append(m.seqs[seq], cell{token, m.nextID})
	}
	return nil
}

// Piece implements engine.Vocab: letters, and nothing for token 0.
func (m *Model) Piece(t engine.Token) []byte {
	if t == 0 {
		return nil
	}
	return m.letters[t-1 : t : t]
}

// Ends implements engine.Vocab.
func (m *Model) Ends(t engine.Token) bool { return t == 0 }

// Continue computes what the model says after tokens, one sequence alone and
// from nothing: the reference for every schedule.
func (m *Model) Continue(r engine.Request) (engine.Result, error) {
	room := len(r.Tokens) + r.MaxTokens
	alone := New(engine.Limits{Sequences: 1, Context: room, Cells: room, Batch: 1})
	alone.EndBias, alone.Poison, alone.Repeat = m.EndBias, m.Poison, m.Repeat
	e, err := engine.New(alone, alone, engine.Config{NoReuse: true})
	if err != nil {
		return engine.Result{}, err
	}
	var out engine.Result
	r.Done = func(res engine.Result) { out = res }
	if err := e.Submit(&r); err != nil {
		return engine.Result{}, err
	}
	return out, e.Run(context.Background())
}

// LogProb is the log-probability of next after tokens, computed from nothing.
func (m *Model) LogProb(tokens []engine.Token, next engine.Token) float64 {
	cells := make([]cell, len(tokens))
	for i, t := range tokens {
		cells[i].token = t
	}
	logits := m.predict(cells)
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(float64(l))
	}
	return float64(logits[next]) - math.Log(sum)
}
