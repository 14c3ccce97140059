package bench

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// Floors are floors measured in turns with runs of amend: a machine that others
// share changes its speed within minutes, and only what ran side by side compares.
type Floors struct {
	bench    *Bench
	setting  Setting
	measured []Floor
	parts    []float64 // of each run of amend: the floors beside it by its time
}

// Floors measures the floor with each of the settings and keeps to the one that
// reached the lowest.
func (b *Bench) Floors(ctx context.Context, settings ...Setting) (*Floors, error) {
	f := &Floors{bench: b}
	for i, s := range settings {
		s.Shared = 0 // plain llama_decode has none of it
		measured, err := b.floor(ctx, s)
		if err != nil {
			return nil, err
		}
		if i == 0 || measured.Seconds < f.measured[0].Seconds {
			f.measured, f.setting = []Floor{measured}, s
		}
	}
	return f, nil
}

// After measures the floor again, after a run of amend that took wall seconds.
func (f *Floors) After(ctx context.Context, wall float64) error {
	after, err := f.bench.floor(ctx, f.setting)
	if err != nil {
		return err
	}
	f.add(after, wall)
	return nil
}

// add notes the floor after a run that took wall seconds; the last one that was
// noted is the floor before it.
func (f *Floors) add(after Floor, wall float64) {
	before := f.measured[len(f.measured)-1]
	f.measured = append(f.measured, after)
	f.parts = append(f.parts, (before.Seconds+after.Seconds)/2/wall)
}

// Report fills in the median floor, and the median part that it was of amend's
// time.
func (f *Floors) Report(r *Report) {
	sorted := slices.SortedFunc(slices.Values(f.measured), func(a, b Floor) int { return cmp.Compare(a.Seconds, b.Seconds) })
	m := sorted[(len(sorted)-1)/2]
	r.FloorS, r.FloorWith, r.FloorSpeed = m.Seconds, f.setting.String(), m.Points
	if len(f.parts) > 0 {
		r.OfFloor = middle(f.parts)
	}
}

// floor measures the floor with one setting, in a context of its own.
func (b *Bench) floor(ctx context.Context, s Setting) (f Floor, err error) {
	b.Say("floor: %s", s)
	alive := min(b.Alive, len(b.Workload.Rows))
	backend, err := b.Open(s, alive+1, b.Workload.Longest())
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	return MeasureFloor(ctx, backend, b.Workload, alive)
}
