package main

import (
	"fmt"
	"io"
	"slices"

	"amend/engine/check"
)

// printAlarms counts the flags of people's and models' answers that stand in published sets. Each is taken as a first response, and
// where there is another answer to its prompt as a revision of that.
func printAlarms(out io.Writer, folder, show string) error {
	answers, err := readAnswers(folder)
	if err != nil {
		return err
	}
	checker, err := check.New(nil)
	if err != nil {
		return err
	}
	type column struct {
		set  string
		kind check.Kind
	}
	counts, of := map[column]map[check.Flag]int{}, map[column]int{}
	columns := []column{{"hh-rlhf", check.Response}, {"hh-rlhf", check.Revision}, {"PandaLM", check.Response}, {"PandaLM", check.Revision}, {"XSTest", check.Response}}
	for _, c := range columns {
		counts[c] = map[check.Flag]int{}
	}
	for _, a := range answers {
		for _, in := range turns(a) {
			c := column{a.set, in.Kind}
			of[c]++
			for _, f := range checker.Check(in) {
				counts[c][f]++
				if string(f) == show {
					fmt.Fprintf(out, "%s %s\nprompt: %q\ndraft: %q\ntext: %q\n\n", a.set, in.Kind, in.Prompt, in.Draft, in.Text)
				}
			}
		}
	}
	head, line, total := []any{"flag"}, []any{"---"}, []any{"answers"}
	for _, c := range columns {
		head, line, total = append(head, fmt.Sprintf("%s, as %s", c.set, c.kind)), append(line, "---:"), append(total, of[c])
	}
	table(out, head...)
	table(out, line...)
	table(out, total...)
	for _, f := range check.Flags() {
		if slices.Contains([]check.Flag{check.Cut, check.Thinking, check.CopiedTurn, check.CopiedFewshot}, f) {
			continue // these need more than the text
		}
		cells := []any{f}
		for _, c := range columns {
			cells = append(cells, counts[c][f])
		}
		table(out, cells...)
	}
	return nil
}

// turns are what the checks are asked about an answer. Answers that people call refusals are left out, since no fault of form is
// theirs: engine/refusal has its own figures.
func turns(a answer) []check.Input {
	if a.full {
		return nil
	}
	response := check.Input{Kind: check.Response, Text: a.text, Prompt: a.prompt, Safe: a.safe}
	if a.other == "" {
		return []check.Input{response}
	}
	revision := response
	revision.Kind, revision.Draft = check.Revision, a.other
	return []check.Input{response, revision}
}
