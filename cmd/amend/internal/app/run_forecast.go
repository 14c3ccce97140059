package app

import (
	"context"

	"amend/cmd/amend/internal/runner"
	"amend/engine/revise"
)

// Forecast is what the turns of a plan would take on this machine.
type Forecast struct {
	RowsAtOnce   int    `json:"rows_at_once"`
	WeightsBytes uint64 `json:"weights_bytes"`
	CacheBytes   uint64 `json:"cache_bytes"` // of keys and values
	runner.Rates
	// AnswerTokens are how long a turn is taken to be: as long as those of the demonstrations, a quarter of the limit where
	// there are none; and as long as max-tokens lets it be.
	AnswerTokens Range `json:"answer_tokens"`
	PromptTokens Range `json:"prompt_tokens"` // to read
	DecodeTokens Range `json:"decode_tokens"` // to write
	Seconds      Range `json:"seconds"`       // without loading the model
}

// Range is from the least to the most.
type Range struct {
	Least float64 `json:"least"`
	Most  float64 `json:"most"`
}

// over is the range of a quantity that grows with the one of r.
func (r Range) over(f func(float64) float64) Range { return Range{f(r.Least), f(r.Most)} }

// forecast says what a plan would take, from the speed of some steps now.
func (c *runComputation) forecast(ctx context.Context, p revise.Plan) (*Forecast, error) {
	c.progress.enter(Measuring)
	alive := min(c.size.Parallel(), p.Rows-p.Whole)
	rates, err := c.model.MeasureRates(ctx, c.size, alive, c.preamble(), c.size.Shared > 0)
	if err != nil {
		return nil, err
	}
	f := Forecast{
		RowsAtOnce: alive, WeightsBytes: c.model.Info().SizeBytes, CacheBytes: c.size.Bytes(c.model.Info()), Rates: rates,
		AnswerTokens: c.answerTokens(),
	}
	preambles := 0
	for _, l := range c.loops {
		preambles += len(l.Prefix())
	}
	f.PromptTokens = f.AnswerTokens.over(func(n float64) float64 { return float64(preambles+p.Prompt) + n*float64(p.Drafts) })
	f.DecodeTokens = f.AnswerTokens.over(func(n float64) float64 { return n * float64(p.Turns) })
	f.Seconds = Range{f.took(f.PromptTokens.Least, f.DecodeTokens.Least), f.took(f.PromptTokens.Most, f.DecodeTokens.Most)}
	return &f, nil
}

// took is how long so many tokens take to read and to write.
func (f *Forecast) took(prompt, decode float64) float64 { return prompt/f.Prefill + decode/f.Decode }

// answerTokens is how long a turn is taken to be.
func (c *runComputation) answerTokens() Range {
	most := c.job.Config.MaxTokens
	least := c.loops[0].AnswerTokens()
	if least == 0 {
		least = most / 4
	}
	return Range{float64(min(max(1, least), most)), float64(most)}
}
