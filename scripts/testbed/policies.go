package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"amend/engine/measure"
	"amend/engine/outcome"
	"amend/models/testbed"
)

// writePolicies compares the final answers of policies to the same prompts, each with the one before it, as Markdown. A policy is
// the folders of its runs, one for each seed, separated by commas.
func writePolicies(out io.Writer, w *testbed.World, all []string) error {
	if len(all) < 2 {
		return errors.New("policies wants the runs of two policies or more")
	}
	var policies []*runs
	for _, one := range all {
		r, err := readRunsAt(w, strings.Split(one, ","))
		if err != nil {
			return err
		}
		if len(policies) > 0 && !(r.sameRows(policies[0]) && len(r.answers) == len(policies[0].answers)) {
			return fmt.Errorf("%s has other rows or seeds than %s", one, all[0])
		}
		policies = append(policies, r)
	}
	n := len(policies[0].ids)
	fmt.Fprintf(out, "%d prompts, seeds: %d; 95 %% intervals by bootstrap over prompts, differences paired.\n\n", n, len(policies[0].answers))
	fmt.Fprintln(out, "| policy | break a rule, % | less than the one before | useful facts | less than the one before | distinct-3 |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|")
	for i, p := range policies {
		figure := func(of func(outcome.Answer) float64, scale float64) (string, string) {
			at := measure.Bootstrap(n, resamples, 1, func(places []int) float64 { return scale * p.mean(places, p.last(), of) })
			if i == 0 {
				return show(at), ""
			}
			before := policies[i-1]
			less := measure.Bootstrap(n, resamples, 1, func(places []int) float64 {
				return scale * (before.mean(places, before.last(), of) - p.mean(places, p.last(), of))
			})
			return show(at), show(less)
		}
		broken, fewer := figure(violates, 100)
		kept, lost := figure(facts, 1)
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %.3f |\n", filepath.Base(all[i]), broken, fewer, kept, lost, p.distinct(p.places(), p.last()))
	}
	return nil
}
