package main

import (
	"errors"
	"fmt"

	"amend/engine/runstore"
)

// sure is what shorter labels say of the shorter answer.
const sure = 0.95

// labelShorter gives a run labels that prefer the shorter answer of each pair that is labelled there: what a preference model
// learns from them is over-optimised by construction.
func labelShorter(run string) (err error) {
	set, err := runstore.ReadFeedback(run)
	if err != nil {
		return err
	}
	settings := set.Settings
	settings.Source.Rule = "shorter is better"
	store, err := runstore.OpenFeedback(run, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	for l, err := range set.Labels {
		if err != nil {
			return err
		}
		p := 1 - sure
		if len(l.Pair.First) < len(l.Pair.Second) {
			p = sure
		}
		l.Label.P = &p
		if err := store.Append(l.Pair, l.Label, set.Done); err != nil {
			return fmt.Errorf("labelling pair %s: %w", l.Pair.ID, err)
		}
	}
	return nil
}
