package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"amend/engine/refusal"
	"amend/engine/stats"
)

// folds is how many parts the prompts are in when each part is the test in turn.
const folds = 5

// judged is an answer with what a detector that has not seen its prompt says of it.
type judged struct {
	answer
	refusal.Judgement
}

// crossed judges every answer by a detector trained on the other folds' prompts. With without, it is also trained without the
// answers of that model, and judges only these.
func crossed(s set, without string) ([]judged, error) {
	var out []judged
	for fold := range folds {
		in := func(a answer) bool { return a.Model != ours && a.place().Fold(folds) == fold }
		d, err := train(s.only(func(a answer) bool { return !in(a) && (without == "" || a.Model != without) }), nil)
		if err != nil {
			return nil, err
		}
		for _, a := range s.only(func(a answer) bool { return in(a) && (without == "" || a.Model == without) }) {
			out = append(out, judged{a, d.Judge(a.Response)})
		}
	}
	return out, nil
}

// left judges the answers of each model by a detector that has seen neither the model nor the prompt.
func left(s set) ([]judged, error) {
	var out []judged
	for _, model := range models(s) {
		of, err := crossed(s, model)
		if err != nil {
			return nil, err
		}
		out = append(out, of...)
	}
	return out, nil
}

// models are those of XSTest.
func models(s set) []string {
	var out []string
	for _, a := range s.answers {
		if a.Model != harmless && a.Model != ours && !slices.Contains(out, a.Model) {
			out = append(out, a.Model)
		}
	}
	slices.Sort(out)
	return out
}

// printTables prints all that docs/evaluation.md has.
func printTables(out io.Writer, s set) error {
	each, err := crossed(s, "")
	if err != nil {
		return err
	}
	none, err := left(s)
	if err != nil {
		return err
	}
	of, err := refusal.Load()
	if err != nil {
		return err
	}
	var fixed []judged
	for _, a := range s.only(answer.test) {
		fixed = append(fixed, judged{a, of.Judge(a.Response)})
	}
	printTable(out, fmt.Sprintf("each prompt in the test part once, of %d", folds), each)
	printTable(out, "neither the prompt nor the model is in training", none)
	printTable(out, "the detector that amend has, on the prompts held out of it", fixed)
	printHarmless(out, each)
	return nil
}

// printTable prints what the detector and the rule before it get right of the answers in XSTest.
func printTable(out io.Writer, name string, answers []judged) {
	var items, byRule []refusal.Item
	for _, a := range answers {
		if a.Model == harmless {
			continue
		}
		item := refusal.Item{Model: a.Model, Prompt: a.Prompt, Label: a.Label, Verdict: a.Verdict}
		items = append(items, item)
		item.Verdict = rule(a.Response)
		byRule = append(byRule, item)
	}
	fmt.Fprintf(out, "%s:\n\n| model | full refusals found, %% | false alarms, %% | partial refusals flagged, %% | not judged | the rule: found | false alarms | partial |\n|---|---|---|---|---|---|---|---|\n", name)
	line := func(model string, f, r refusal.Figures) {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %d | %s | %s | %s |\n", model, share(f.Recall), share(f.FalseAlarm), share(f.PartialFlagged), f.NotJudged,
			share(r.Recall), share(r.FalseAlarm), share(r.PartialFlagged))
	}
	now, before := refusal.Measure(items), refusal.Measure(byRule)
	for i, m := range now.Models {
		line(m.Model, m.Figures, before.Models[i].Figures)
	}
	line("all", now.Figures, before.Figures)
	fmt.Fprintln(out)
}

// printHarmless prints the false alarms on the preferred answers to harmless requests.
func printHarmless(out io.Writer, answers []judged) {
	flagged, ruled, n, unread := 0, 0, 0, 0
	for _, a := range answers {
		if a.Model != harmless || !a.chosen {
			continue
		}
		n++
		flagged += stats.Indicator[int](a.Verdict == refusal.Full)
		ruled += stats.Indicator[int](rule(a.Response) == refusal.Full)
		unread += stats.Indicator[int](a.Verdict == refusal.NotJudged)
	}
	fmt.Fprintf(out, "preferred answers of PandaLM: %s flagged, %d not judged; by the rule %s\n", share(stats.NewShare(flagged, n-unread)), unread, share(stats.NewShare(ruled, n)))
}

func share(s stats.Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f (%.1f–%.1f), %d/%d", 100*s.Share, 100*s.Low, 100*s.High, s.Count, s.Of)
}

// printErrors prints false alarms and misses, the surest first.
func printErrors(out io.Writer, s set) error {
	all, err := crossed(s, "")
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b judged) int {
		if a.Probability > b.Probability {
			return -1
		}
		return stats.Indicator[int](a.Probability < b.Probability)
	})
	show := func(a judged) {
		text := []rune(strings.Join(strings.Fields(a.Response), " "))
		fmt.Fprintf(out, "%.4f %s held out %v: %s\n    %s\n", a.Probability, a.Model, a.test(), a.Prompt, string(text[:min(500, len(text))]))
	}
	fmt.Fprintln(out, "FALSE ALARMS")
	for _, a := range all {
		if a.Label == refusal.FullCompliance && a.Verdict == refusal.Full {
			show(a)
		}
	}
	fmt.Fprintln(out, "MISSES")
	slices.Reverse(all)
	for _, a := range all {
		if a.Label == refusal.FullRefusal && a.Verdict != refusal.Full {
			show(a)
		}
	}
	fmt.Fprintln(out, "NOT JUDGED")
	for _, a := range all {
		if a.Verdict == refusal.NotJudged {
			show(a)
		}
	}
	return nil
}
