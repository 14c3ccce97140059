package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"amend/engine/oracle"
	"amend/engine/stats"
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
	fmt.Fprintf(out, "%d prompts, seeds: %d; 95 %% intervals by bootstrap over prompts, differences paired.\n\n", len(policies[0].ids), len(policies[0].answers))
	fmt.Fprintln(out, "| policy | break a rule, % | less than the one before | useful facts | less than the one before | out of the grammar, % | break a rule or may, % | less than the one before | made worse, % | distinct-3 |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|---|")
	for i, p := range policies {
		broken, kept := show(p.final(violates, 100)), show(p.final(facts, 1))
		fewer, lost, atMost := "", "", ""
		if i > 0 {
			before := policies[i-1]
			fewer, lost, atMost = show(p.below(before, violates, 100)), show(p.below(before, facts, 1)), show(p.below(before, mayViolate, 100))
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %.3f |\n", filepath.Base(all[i]), broken, fewer, kept, lost,
			show(p.final(unread, 100)), show(p.final(mayViolate, 100)), atMost, show(p.madeWorse()), p.distinct(p.places(), p.last()))
	}
	return nil
}

// final is the mean of a figure of the final answers.
func (r *runs) final(of func(oracle.Answer) float64, scale float64) stats.Interval {
	return stats.Bootstrap(len(r.ids), resamples, 1, func(places []int) float64 { return scale * r.mean(places, r.last(), of) })
}

// below is by how much less a figure of the final answers is than another policy's, prompt by prompt.
func (r *runs) below(other *runs, of func(oracle.Answer) float64, scale float64) stats.Interval {
	return stats.Bootstrap(len(r.ids), resamples, 1, func(places []int) float64 {
		return scale * (other.mean(places, other.last(), of) - r.mean(places, r.last(), of))
	})
}

// madeWorse is the share of rows that break a rule at the end which their first response kept, in percent.
func (r *runs) madeWorse() stats.Interval {
	worse := make([]float64, len(r.ids))
	for _, rows := range r.answers {
		for i, rounds := range rows {
			first := rounds[0].Broken
			if slices.ContainsFunc(rounds[r.last()].Broken, func(rule int) bool { return !slices.Contains(first, rule) }) {
				worse[i] += 100 / float64(len(r.answers))
			}
		}
	}
	return stats.Bootstrap(len(worse), resamples, 1, func(places []int) (mean float64) {
		for _, i := range places {
			mean += worse[i] / float64(len(places))
		}
		return mean
	})
}

// unread is 1 where the oracle could not read all of an answer.
func unread(a oracle.Answer) float64 {
	if a.InGrammar {
		return 0
	}
	return 1
}

// mayViolate is 1 also where what the oracle could not read may break a rule.
func mayViolate(a oracle.Answer) float64 {
	if a.Doubtful {
		return 1
	}
	return violates(a)
}
