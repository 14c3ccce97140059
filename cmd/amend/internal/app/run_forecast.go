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
	Shown        bool  `json:"answers_shown"` // there are demonstrations
	PromptTokens Range `json:"prompt_tokens"` // to read
	DecodeTokens Range `json:"decode_tokens"` // to write
	DecodeTokS   Range `json:"decode_tok_s"`  // of all rows, with answers of these lengths
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
	c.progress.enterCounted(Measuring, 0, "step")
	alive := min(c.size.Parallel(), p.Rows-p.Whole)
	rates, err := c.model.MeasureRates(ctx, c.size, alive, c.preamble(), c.progress.part)
	if err != nil {
		return nil, err
	}
	f := Forecast{
		RowsAtOnce: alive, WeightsBytes: c.model.Info().SizeBytes, CacheBytes: c.size.Bytes(c.model.Info()), Rates: rates,
		AnswerTokens: c.answerTokens(), Shown: c.loops[0].AnswerTokens() > 0,
	}
	preambles := 0
	for _, l := range c.loops {
		preambles += len(l.Prefix())
	}
	f.PromptTokens = f.AnswerTokens.over(func(n float64) float64 { return float64(preambles+p.Prompt) + n*float64(p.Drafts) })
	f.DecodeTokens = f.AnswerTokens.over(func(n float64) float64 { return n * float64(p.Turns) })
	own := f.AnswerTokens.over(func(n float64) float64 { return c.ownTokens(p, n) })
	f.DecodeTokS = own.over(rates.Decode)
	f.Seconds = Range{
		f.PromptTokens.Least/rates.PrefillAt(own.Least) + f.writing(p, f.AnswerTokens.Least, own.Least),
		f.PromptTokens.Most/rates.PrefillAt(own.Most) + f.writing(p, f.AnswerTokens.Most, own.Most),
	}
	return &f, nil
}

// writing is how long the turns of a plan take to write, with answers of n tokens: rows come in waves of as many as run at
// once, and the last wave may be smaller.
func (f *Forecast) writing(p revise.Plan, n, own float64) float64 {
	rows := p.Rows - p.Whole
	steps := n * float64(p.Turns) / float64(rows) // of a row
	waves, rest := rows/f.RowsAtOnce, rows%f.RowsAtOnce
	seconds := steps * float64(waves) * f.StepSeconds(float64(f.RowsAtOnce), own)
	if rest > 0 {
		seconds += steps * f.StepSeconds(float64(rest), own)
	}
	return seconds
}

// ownTokens is how many tokens a row holds in the mean while it writes, with answers of n tokens: half of its prompt,
// requests and answers. A preamble that rows read in common counts once for all of them.
func (c *runComputation) ownTokens(p revise.Plan, n float64) float64 {
	rounds := float64(c.job.Config.Revisions)
	if c.job.Config.Mode == revise.Faithful {
		rounds = min(rounds, 1)
	}
	own := (float64(p.Prompt)/float64(max(1, p.Rows-p.Whole)) + (1+2*rounds)*n) / 2
	if c.size.Shared > 0 {
		return own + float64(c.preamble())/float64(c.size.Parallel())
	}
	return own + float64(c.preamble())
}

// answerTokens is how long a turn is taken to be.
func (c *runComputation) answerTokens() Range {
	most := c.job.Config.MaxTokens
	least := c.loops[0].AnswerTokens()
	if least == 0 {
		least = most / 4
	}
	return Range{float64(min(max(1, least), most)), float64(most)}
}
