package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"amend/engine/llama"
	"amend/models"
)

// Outlook is how rows of a model would run on this machine.
type Outlook struct {
	Info      models.Info
	Keys      string // type of cached keys
	CellBytes uint64 // keys and values of a token
	// WhyCopied says why each row would hold a copy of the preamble. It is empty where rows would read it once for all.
	WhyCopied string
}

// Examine loads a model as a run would by default, and says how its rows would run.
func Examine(ctx context.Context, name string) (o Outlook, err error) {
	file, err := Find(name)
	if err != nil {
		return o, err
	}
	m := &Model{compute: DefaultCompute(), info: file.Info()}
	defer func() { err = errors.Join(err, m.Close()) }()
	if err := m.load(ctx, file.Path, llama.ModelParams{GPULayers: m.compute.GPULayers}); err != nil {
		return o, err
	}
	kind, err := m.Kind(DefaultContext())
	if err != nil {
		return o, err
	}
	o = Outlook{Info: m.info, Keys: kind.TypeK.String(), CellBytes: CellBytes(m.info, kind.TypeK)}
	o.WhyCopied, err = WhyCopied(m.model, kind)
	return o, err
}

// Speed is how fast plain llama_decode is, in tokens a second.
type Speed struct {
	Prefill float64 // in a full batch
	Decode  float64 // of one sequence
}

// What MeasureSpeed computes.
const (
	warmTokens  = 32
	decodeSteps = 32
)

// MeasureSpeed loads the model at path and times one prefill of a full batch and some single decode steps, after a warm-up.
func MeasureSpeed(ctx context.Context, path string) (s Speed, err error) {
	m, err := llama.LoadModel(ctx, path, llama.ModelParams{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	c, err := m.NewContext(llama.ContextParams{Ctx: 2 * BatchTokens, Batch: BatchTokens, OutputsMax: 1, FlashAttn: llama.FlashOff})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	b, err := llama.NewBatch(BatchTokens, 1)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	t := speedTrial{ctx: c, batch: b, vocabulary: m.Vocab().Size(), rng: rand.New(rand.NewPCG(1, 1))}
	if _, err := t.decode(ctx, warmTokens); err != nil {
		return s, fmt.Errorf("warming up: %w", err)
	}
	took, err := t.decode(ctx, BatchTokens)
	if err != nil {
		return s, err
	}
	s.Prefill = BatchTokens / took.Seconds()
	took = 0
	for range decodeSteps {
		step, err := t.decode(ctx, 1)
		if err != nil {
			return s, err
		}
		took += step
	}
	s.Decode = decodeSteps / took.Seconds()
	return s, nil
}

// speedTrial is a context whose one sequence grows by random tokens.
type speedTrial struct {
	ctx        *llama.Context
	batch      *llama.Batch
	vocabulary int
	rng        *rand.Rand
	held       int // tokens
}

// decode computes tokens more tokens at once and says what that took.
func (t *speedTrial) decode(ctx context.Context, tokens int) (time.Duration, error) {
	t.batch.Clear()
	for i := range tokens {
		if err := t.batch.Add(llama.Token(t.rng.IntN(t.vocabulary)), int32(t.held), i == tokens-1, 0); err != nil {
			return 0, err
		}
		t.held++
	}
	start := time.Now()
	err := t.ctx.Decode(ctx, t.batch)
	t.ctx.Synchronize()
	return time.Since(start), err
}
