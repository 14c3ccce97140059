package app

import (
	"context"

	"amend/engine/runstore"
)

// StatsReport counts what a run holds.
type StatsReport struct {
	runstore.Statistics
	Measured runstore.Measured `json:"-"` // in the manifest
}

// Stats counts the finished rows of the run in dir, and what its rounds and principles did.
func Stats(ctx context.Context, dir string) (StatsReport, error) {
	run, err := ReadRun(ctx, dir)
	if err != nil {
		return StatsReport{}, err
	}
	s, err := runstore.Count(run.Rows)
	return StatsReport{s, run.Manifest.Measured}, err
}
