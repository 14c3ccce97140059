package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// settingName describes how a context computes: what does not change the work, only its speed.
func settingName(s runner.ContextPlan) string {
	flash := "off"
	if s.FlashAttention() {
		flash = "on"
	}
	keys := s.TypeK.String()
	if keys != "f16" {
		keys += "/f16" // values stay f16
	}
	out := fmt.Sprintf("%s fa=%s kv=%s", s.Layout(), flash, keys)
	if s.Shared > 0 {
		out += fmt.Sprintf(" attached=%d", s.Shared)
	}
	return out
}

// settingOf is how a variant computes, where amend's own setting is given. Rows of the others hold the preamble themselves.
func settingOf(variant string, own runner.ContextPlan) runner.ContextPlan {
	if variant != Amend && variant != NoSpeculation {
		own.Shared = 0
	}
	return own
}

// closer is a backend that the bench closes.
type closer interface {
	engine.Backend
	Close() error
}

// opener makes a context of a kind, with sequences that each hold tokens.
type opener func(kind runner.ContextPlan, sequences, tokens int) (closer, error)

// fixed measures one workload of fixed lengths on one model.
type fixed struct {
	open     opener
	vocab    engine.Vocab
	workload *workload.Workload
	alive    int                // rows that run at once
	setting  runner.ContextPlan // of amend; without sizes, except for Shared
	say      func(format string, args ...any)
}

// slowRows is how many rows the variants run that compute prompts again and
// again: all would take too long. Their figures are by row.
const slowRows = 2

// run measures one of amend's variants.
func (b *fixed) run(ctx context.Context, name string) (v Variant, stats engine.Stats, err error) {
	w, pin := *b.workload, true
	var c engine.Config
	setting := settingOf(name, b.setting)
	switch name {
	case NoReuse:
		c.NoReuse, pin = true, false
		w.Rows = w.Rows[:min(slowRows, len(w.Rows))]
	case PrefixCache:
		c.NoFork, pin = true, false
	}
	alive := min(b.alive, len(w.Rows))
	b.say("%s: %d rows, %d at once, %s", name, len(w.Rows), alive, settingName(setting))
	backend, err := b.open(setting, alive+1, w.Longest())
	if err != nil {
		return v, stats, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	e, err := engine.New(backend, b.vocab, c)
	if err != nil {
		return v, stats, err
	}
	stats, wall, err := drive(ctx, e, &w, alive, pin)
	if err != nil {
		return v, stats, fmt.Errorf("running %s: %w", name, err)
	}
	v = variant(name, len(w.Rows), stats.Decoded, stats.Prefilled, stats.Reused, wall)
	v.spent(stats)
	if len(w.Rows) < len(b.workload.Rows) {
		v.Note = fmt.Sprintf("%d rows of %d: compare by row", len(w.Rows), len(b.workload.Rows))
	}
	return v, stats, nil
}

// medians keeps one run of each variant, that of the median time, and compares each variant with amend's run of the same
// turn.
func medians(runs [][]Variant) []Variant {
	at := slices.IndexFunc(runs, func(r []Variant) bool { return r[0].Name == Amend })
	out := make([]Variant, len(runs))
	for i, r := range runs {
		out[i] = middleRun(r)
		if len(r) < 2 || at < 0 || i == at {
			continue
		}
		for turn := range r {
			out[i].ratios = append(out[i].ratios, r[turn].WallSPerRow/runs[at][turn].WallSPerRow)
		}
		slices.Sort(out[i].ratios)
		out[i].RatioMin, out[i].RatioMax = out[i].ratios[0], out[i].ratios[len(r)-1]
	}
	return out
}

// middleRun is the run of the median time among several.
func middleRun(runs []Variant) Variant {
	byTime := func(a, b Variant) int { return cmp.Compare(a.WallS, b.WallS) }
	m := median(runs, byTime)
	if len(runs) > 1 {
		m.Runs, m.MinS, m.MaxS = len(runs), slices.MinFunc(runs, byTime).WallS, slices.MaxFunc(runs, byTime).WallS
	}
	return m
}
