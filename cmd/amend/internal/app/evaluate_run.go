package app

import (
	"context"

	"amend/cmd/amend/internal/failure"
	"amend/engine/oracle"
	"amend/models/testbed"
)

// EvaluateRun has the testbed's oracle judge each round of the run in dir. The runs of other models have no oracle.
func EvaluateRun(ctx context.Context, dir string) (oracle.Outcome, error) {
	run, err := ReadRun(ctx, dir)
	if err != nil {
		return oracle.Outcome{}, err
	}
	if !isTestbed(run.Manifest) {
		return oracle.Outcome{}, failure.Inputf("no oracle for %s (made with %s): only testbed runs can be evaluated; for counts, use amend stats %s",
			dir, run.Manifest.Setup.Model, dir)
	}
	return oracle.Of(testbed.New(), run.Manifest.Results.Revisions, run.Rows)
}
