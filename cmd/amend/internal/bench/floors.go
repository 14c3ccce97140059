package bench

import (
	"cmp"
	"context"
	"errors"

	"amend/cmd/amend/internal/runner"
)

// floors are floors measured in turns with runs of amend: a machine that others
// share changes its speed within minutes, and only what ran side by side compares.
type floors struct {
	bench    *fixed
	setting  runner.ContextPlan
	measured []floor
	parts    []float64 // of each run of amend: the floors beside it by its time
}

// newFloors measures the floor with each of the settings and keeps to the one that
// reached the lowest.
func (b *fixed) newFloors(ctx context.Context, settings ...runner.ContextPlan) (*floors, error) {
	f := &floors{bench: b}
	for i, s := range settings {
		s.Shared = 0 // plain llama_decode has none of it
		measured, err := b.floor(ctx, s)
		if err != nil {
			return nil, err
		}
		if i == 0 || measured.seconds < f.measured[0].seconds {
			f.measured, f.setting = []floor{measured}, s
		}
	}
	return f, nil
}

// again measures the floor again, after a run of amend that took wall seconds.
func (f *floors) again(ctx context.Context, wall float64) error {
	after, err := f.bench.floor(ctx, f.setting)
	if err != nil {
		return err
	}
	f.add(after, wall)
	return nil
}

// add notes the floor after a run that took wall seconds; the last one that was
// noted is the floor before it.
func (f *floors) add(after floor, wall float64) {
	before := f.measured[len(f.measured)-1]
	f.measured = append(f.measured, after)
	f.parts = append(f.parts, (before.seconds+after.seconds)/2/wall)
}

// report fills in the median floor, and the median part that it was of amend's
// time.
func (f *floors) report(r *Report) {
	m := median(f.measured, func(a, b floor) int { return cmp.Compare(a.seconds, b.seconds) })
	r.FloorS, r.FloorWith, r.FloorSpeed = m.seconds, settingName(f.setting), m.points
	if len(f.parts) > 0 {
		r.OfFloor = median(f.parts, cmp.Compare)
	}
}

// floor measures the floor with one setting, in a context of its own.
func (b *fixed) floor(ctx context.Context, s runner.ContextPlan) (f floor, err error) {
	b.say("floor: %s", settingName(s))
	alive := min(b.alive, len(b.workload.Rows))
	backend, err := b.open(s, alive+1, b.workload.Longest())
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	return measureFloor(ctx, backend, b.workload, alive)
}
