package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/revise"
)

// NoSpeculation is the variant of the text workload that guesses no tokens.
const NoSpeculation = "amend no-speculation"

// TextCounts is what a variant of the text workload did, beside what all
// variants report.
type TextCounts struct {
	Turns     int `json:"turns"` // generated
	Critiques int `json:"critiques"`
	Revisions int `json:"revisions"`
	// EndedByItself is how many turns the model ended, before the limit.
	EndedByItself int     `json:"ended_by_itself"`
	RevisionsPerS float64 `json:"revisions_per_s"` // by wall time
	// CritiquesPer1k is critiques per 1,000 tokens of work: prompt tokens
	// computed and tokens sampled.
	CritiquesPer1k float64 `json:"critiques_per_1k_tokens"`
	// CalibrationS is the part of the wall time that went into measuring what
	// guesses cost, in seconds.
	CalibrationS float64 `json:"calibration_s,omitempty"`
	Drafted      int     `json:"guesses"` // tokens tried by looking them up
	Accepted     int     `json:"guessed"` // of these, right
}

// add counts a turn that was generated.
func (c *TextCounts) add(kind revise.Kind, ended bool) {
	c.Turns++
	switch kind {
	case revise.Critique:
		c.Critiques++
	case revise.Revision:
		c.Revisions++
	case revise.Response: // counted as a turn
	}
	if ended {
		c.EndedByItself++
	}
}

// textVariant is a variant with the figures that follow from its counts.
func textVariant(v Variant, c TextCounts) Variant {
	c.RevisionsPerS = float64(c.Revisions) / v.WallS
	c.CritiquesPer1k = 1000 * float64(c.Critiques) / float64(v.Computed+v.Decoded)
	v.TextCounts = &c
	return v
}

// text measures the text workload: rounds of critique and revision as `amend
// run` does them, kept in memory.
type text struct {
	loop    *revise.Loop
	rows    []revise.Row
	vocab   engine.Vocab
	open    opener
	setting runner.ContextPlan // of amend; without sizes, except for Shared
	alive   int                // rows at once
	need    int                // the most tokens that a row can come to hold
	say     func(format string, args ...any)
}

// TextVariants are the variants of the text workload.
func TextVariants() []string { return []string{Amend, PrefixCopied, NoSpeculation} }

// run measures one of TextVariants. It fails when a row does: the figures would
// be of other work.
func (t *text) run(ctx context.Context, name string) (v Variant, stats engine.Stats, err error) {
	setting := settingOf(name, t.setting)
	alive := min(t.alive, len(t.rows))
	t.say("%s: %d rows, %d at once, %s", name, len(t.rows), alive, settingName(setting))
	backend, err := t.open(setting, alive+1, t.need)
	if err != nil {
		return v, stats, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	e, err := engine.New(backend, t.vocab, engine.Config{})
	if err != nil {
		return v, stats, err
	}
	start := time.Now()
	counts, err := t.drive(ctx, e, alive, name != NoSpeculation)
	if err != nil {
		return v, stats, fmt.Errorf("running %s: %w", name, err)
	}
	stats = e.Stats()
	counts.Drafted, counts.Accepted = stats.Drafted, stats.Accepted
	v = variant(name, len(t.rows), stats.Decoded, stats.Prefilled, stats.Reused, time.Since(start))
	v.spent(stats)
	return textVariant(v, counts), stats, nil
}

// drive runs the rows through an engine as `amend run` does: the preamble,
// the calibration, the loop.
func (t *text) drive(ctx context.Context, e *engine.Engine, alive int, speculate bool) (c TextCounts, err error) {
	prefix := t.loop.Prefix()
	if err := e.Pin(ctx, prefix); err != nil {
		return c, fmt.Errorf("computing the preamble: %w", err)
	}
	if speculate {
		start := time.Now()
		costs, err := e.Calibrate(ctx, prefix, alive, nil)
		if err != nil {
			return c, err
		}
		c.CalibrationS = time.Since(start).Seconds()
		e.Speculate(costs)
	}
	var failed error
	err = t.loop.Run(ctx, e, alive, revise.Rows(t.rows), func(r revise.Record) error {
		if r.Error != "" && failed == nil {
			failed = fmt.Errorf("row %s failed: %s", r.ID, r.Error)
		}
		for _, turn := range r.Turns {
			if turn.End != revise.EndGiven {
				c.add(turn.Kind, turn.End != engine.EndLength)
			}
		}
		return nil
	})
	return c, errors.Join(failed, err)
}
