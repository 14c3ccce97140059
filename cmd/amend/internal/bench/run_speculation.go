package bench

import (
	"context"
	"errors"
)

// SpeculationReport is one `amend bench speculation`: what --json prints.
type SpeculationReport struct {
	Setting  string   `json:"setting"`
	Setup    Setup    `json:"setup"`
	Table    []Copied `json:"table"`
	Workload string   `json:"workload"` // "speculation"
}

// revisionRequest is the tokens of a revision request in the speculation workload.
const revisionRequest = 16

// RunSpeculation measures revisions that copy a known share of their draft, with guesses and without.
func RunSpeculation(ctx context.Context, env Env, c SpeculationConfig) (r SpeculationReport, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	s, err := open(ctx, env, c.Config)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.model.Close()) }()
	setting, err := s.setting(c.Preamble)
	if err != nil {
		return r, err
	}
	var shares []float64
	for _, percent := range c.Copied {
		shares = append(shares, float64(percent)/100)
	}
	r = SpeculationReport{Setting: settingName(setting), Setup: s.report.Setup, Workload: "speculation"}
	b := speculation{
		open: s.openContext, vocab: s.model.Vocab(), vocabulary: s.model.VocabularySize(), setting: setting,
		preamble: c.Preamble, draft: c.Draft, request: revisionRequest, seed: c.Seed,
	}
	for _, rows := range c.Rows {
		for _, name := range c.Variants {
			s.say("%s: %d rows, %s", name, rows, settingName(settingOf(name, setting)))
			table, err := b.run(ctx, name, rows, shares)
			if err != nil {
				return r, err
			}
			r.Table = append(r.Table, table...)
		}
	}
	return r, nil
}
