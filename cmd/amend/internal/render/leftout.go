package render

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"amend/engine/check"
	"amend/engine/export"
	"amend/engine/revise"
)

// leftOut says why rows are not in a training set: the reasons, and of flagged rows the flags. Their numbers add up to how
// many are left out.
func leftOut(reasons map[export.Reason]int, flags map[check.Flag]int) string {
	var parts []string
	for _, why := range export.Reasons() {
		n := reasons[why]
		if n == 0 {
			continue
		}
		part := fmt.Sprintf("%s %s", Grouped(n), why)
		if why == export.FlagsBelong(reasons) && len(flags) > 0 {
			part += " (" + flagTotals(flags) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// onlyReason says how a row is counted that has several reasons, below reasons as leftOut lists them.
const onlyReason = "Each left out has one reason, the first of these."

// flagTotals lists flags with their numbers, without those that are 0.
func flagTotals(flags map[check.Flag]int) string {
	var parts []string
	for _, f := range export.Faults() {
		if n := flags[f]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", Grouped(n), f))
		}
	}
	return strings.Join(parts, ", ")
}

// advice says what would bring more rows of a run into a set. It is about the most frequent reason, and the most frequent
// flag. program is how amend is called in commands to copy.
func advice(program, run string, reasons map[export.Reason]int, flags map[check.Flag]int) []string {
	why := export.Reasons()
	slices.SortStableFunc(why, func(a, b export.Reason) int { return cmp.Compare(reasons[b], reasons[a]) })
	if reasons[why[0]] == 0 {
		return nil
	}
	if why[0] == export.Flagged || why[0] == export.RejectedFlagged {
		return append(flagAdvice(program, run, flags), program+" export --hygiene=false takes flagged answers too, of a run with --tries 0")
	}
	return []string{map[export.Reason]string{
		export.Failed:        program + " run --out " + run + " --retry-failed does failed rows again",
		export.Unchanged:     "in the unchanged rows no revision differs from the first response: try other principles, or a larger model; sft takes first responses with --keep-first",
		export.FoundClean:    "these answers were found clean, and nothing was revised: they are for --format sft",
		export.NothingFound:  "the critiques of these rows found nothing to correct: more --revisions look again, under other principles; a larger --critic sees more; sft takes first responses with --keep-first",
		export.Declining:     "the first responses of these rows decline what was asked: tag prompts that ask for nothing harmful with " + revise.SafeTag + ", and such answers are revised; --revise always revises all; sft takes first responses with --keep-first",
		export.Unrevised:     "nothing was revised in these rows: the run has no --revisions, or no critique passed the checks",
		export.Refused:       "their revisions were refused (" + program + " show " + run + " ROW says why): try a larger model; sft takes first responses with --keep-first",
		export.Disagreeing:   "the judge prefers the drafts to their revisions: look at some (" + program + " show " + run + "), or label with another judge",
		export.TooAlike:      "the two answers of these pairs say nearly the same: try other principles, or a larger model",
		export.BothDecline:   "both answers of these pairs decline: take other prompts, or principles against needless refusals",
		export.Contaminated:  "these rows share text with the files of --decontaminate: take other prompts",
		export.OtherPart:     "--disjoint leaves half of the prompts to the other formats: take more prompts, or leave it out",
		export.OffPrinciple:  "in no row that is left was one of these --principles drawn: name others (" + program + " stats " + run + ")",
		export.TooLong:       "raise --max-chars",
		export.NearDuplicate: "raise --near-duplicates, or leave it out",
		export.Unlabelled:    "the judge finds neither answer likely: " + program + " feedback with another judge, or a lower --min-mass",
		export.SmallMargin:   "lower --min-margin, or label with another judge or more --draws",
		export.Flipping:      "raise --max-flip, or label with another judge",
	}[why[0]]}
}

// forMore writes advice. What begins with the program is not broken into lines: it is to be copied.
func forMore(w io.Writer, program string, advice []string) {
	label := "for more"
	for _, a := range advice {
		if strings.HasPrefix(a, program+" ") {
			fmt.Fprintf(w, "%-*s%s\n", LabelWidth, label, a)
		} else {
			Field(w, label, a)
		}
		label = ""
	}
}

// flagAdvice says what helps against the most frequent flag.
func flagAdvice(program, run string, flags map[check.Flag]int) []string {
	rows := 0
	for _, n := range flags {
		rows += n
	}
	most := slices.MaxFunc(export.Faults(), func(a, b check.Flag) int { return cmp.Compare(flags[a], flags[b]) })
	are := mostOf(flags[most], rows)
	raise := program + " run --out " + run + " --max-tokens N --redo"
	switch {
	case most == check.Thinking:
		return []string{are + " cut at the token limit while thinking: raise it, or give a --template that turns thinking off", raise}
	case most == check.Cut:
		return []string{are + " cut at the token limit: raise it", raise}
	}
	return []string{fmt.Sprintf("%s so for %s: try a larger model, or a lower --temperature", are, most)}
}

// mostOf is the beginning of a sentence about n of so many flagged rows.
func mostOf(n, rows int) string {
	switch {
	case rows == 1:
		return "the flagged row is"
	case n == rows:
		return "all flagged rows are"
	case 2*n > rows:
		return "most flagged rows are"
	}
	return fmt.Sprintf("%s of %s flagged rows are", Grouped(n), Grouped(rows))
}
