package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// Setting is how a context computes: what does not change the work, only its
// speed.
type Setting struct {
	Unified        bool
	FlashAttention bool
	TypeK          string // f16 or q8_0
	Shared         int    // tokens of the preamble that sequences read without holding them
}

// String is the setting in the words of the command line.
func (s Setting) String() string {
	layout, flash := "streams", "off"
	if s.Unified {
		layout = "unified"
	}
	if s.FlashAttention {
		flash = "on"
	}
	keys := s.TypeK
	if keys != "f16" {
		keys += "/f16" // values stay f16
	}
	out := fmt.Sprintf("%s fa=%s kv=%s", layout, flash, keys)
	if s.Shared > 0 {
		out += fmt.Sprintf(" attached=%d", s.Shared)
	}
	return out
}

// Opened is a backend that the bench closes.
type Opened interface {
	engine.Backend
	Close() error
}

// Bench measures one workload on one model.
type Bench struct {
	// Open makes a context of sequences that each hold tokens.
	Open     func(s Setting, sequences, tokens int) (Opened, error)
	Vocab    engine.Vocab
	Workload *workload.Workload
	// Alive is how many rows run at once.
	Alive   int
	Setting Setting // of amend
	// Say tells a person what is being measured.
	Say func(format string, args ...any)
}

// slowRows is how many rows the variants run that compute prompts again and
// again: all would take too long. Their figures are by row.
const slowRows = 2

// Run measures one of amend's variants.
func (b *Bench) Run(ctx context.Context, name string) (v Variant, stats engine.Stats, err error) {
	w, pin := *b.Workload, true
	var c engine.Config
	setting := b.Setting
	if name != Amend {
		setting.Shared = 0
	}
	switch name {
	case Amend:
	case NoReuse:
		c.NoReuse, pin = true, false
		w.Rows = w.Rows[:min(slowRows, len(w.Rows))]
	case PrefixCopied:
	case PrefixCache:
		c.NoFork, pin = true, false
	default:
		return v, stats, fmt.Errorf("there is no variant %q; there are %q, %q, %q and %q", name, Amend, PrefixCopied, PrefixCache, NoReuse)
	}
	alive := min(b.Alive, len(w.Rows))
	b.Say("%s: %d rows, %d at once, %s", name, len(w.Rows), alive, setting)
	backend, err := b.Open(setting, alive+1, w.Longest())
	if err != nil {
		return v, stats, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	e, err := engine.New(backend, b.Vocab, c)
	if err != nil {
		return v, stats, err
	}
	stats, wall, err := Drive(ctx, e, &w, alive, pin)
	if err != nil {
		return v, stats, fmt.Errorf("running %s: %w", name, err)
	}
	v = variant(name, len(w.Rows), stats.Decoded, stats.Prefilled, stats.Reused, wall)
	v.spent(stats)
	if len(w.Rows) < len(b.Workload.Rows) {
		v.Note = fmt.Sprintf("%d rows of %d: compare by row", len(w.Rows), len(b.Workload.Rows))
	}
	return v, stats, nil
}

// Turns reduces the runs that variants had in turns to one each: that of the
// median time, with how it compares to amend's runs, turn by turn.
func Turns(runs [][]Variant) []Variant {
	at := slices.IndexFunc(runs, func(r []Variant) bool { return r[0].Name == Amend })
	out := make([]Variant, len(runs))
	for i, r := range runs {
		out[i] = Median(r)
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

// Median is the variant whose wall time is the middle one of several runs.
func Median(runs []Variant) Variant {
	sorted := slices.SortedFunc(slices.Values(runs), func(a, b Variant) int {
		switch {
		case a.WallS < b.WallS:
			return -1
		case a.WallS > b.WallS:
			return 1
		}
		return 0
	})
	m := sorted[(len(sorted)-1)/2]
	if len(sorted) > 1 {
		m.Runs, m.MinS, m.MaxS = len(sorted), sorted[0].WallS, sorted[len(sorted)-1].WallS
	}
	return m
}
