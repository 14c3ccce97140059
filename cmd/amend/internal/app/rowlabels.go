package app

import (
	"context"
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/engine/feedback"
	"amend/engine/runstore"
)

// RunLabels are the labels of a run by the id of the row that they are about. A pair of two samples is about both.
type RunLabels struct {
	Settings runstore.FeedbackSettings
	ByRow    map[string][]feedback.Label
}

// ReadLabels reads the labels that amend feedback has given a run; nil where it has none.
func ReadLabels(ctx context.Context, dir string) (*RunLabels, error) {
	set, err := runstore.ReadFeedback(dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return nil, nil
	}
	if err != nil {
		return nil, failure.Input(err)
	}
	out := &RunLabels{Settings: set.Settings, ByRow: map[string][]feedback.Label{}}
	for l, err := range readable(ctx, set.Labels) {
		if err != nil {
			return nil, err
		}
		for _, id := range rowsOf(l.Pair.ID, set.Settings.Source.Samples) {
			out.ByRow[id] = append(out.ByRow[id], l.Label)
		}
	}
	return out, nil
}

// rowsOf are the rows that a pair is of: one, or the two samples whose ids a comma joins. Ids may have commas too: all ways to
// read them are given, and those that are no ids of rows do no harm.
func rowsOf(pair string, samples bool) (ids []string) {
	if !samples {
		return []string{pair}
	}
	for i := range pair {
		if pair[i] == ',' {
			ids = append(ids, pair[:i], pair[i+1:])
		}
	}
	return ids
}
