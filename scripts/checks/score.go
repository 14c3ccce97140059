package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"amend/engine/check"
	"amend/engine/stats"
)

// fault is what readers are asked to look for, by a letter. What a flag means is in the instruction that readers get.
type fault struct {
	code string
	flag check.Flag
}

// faults are those that a reader can see. Whether a turn was cut, or thought only, is recorded.
var faults = []fault{
	{"E", check.Empty}, {"B", check.InvalidUTF8}, {"L", check.OtherLanguage}, {"U", check.Unchanged}, {"W", check.Rewritten}, {"R", check.Repeating},
	{"D", check.Refusal}, {"A", check.AboutAssistant}, {"C", check.CritiqueAsRevision}, {"F", check.CopiedFewshot}, {"I", check.LeadIn},
}

func codeOf(f check.Flag) string {
	for _, x := range faults {
		if x.flag == f {
			return x.code
		}
	}
	return ""
}

// printScore compares what one or two readers found with the flags of the key.
func printScore(out io.Writer, key string, labels []string) error {
	entries, err := readKey(key)
	if err != nil {
		return err
	}
	var readers []map[string]string
	for _, file := range labels {
		codes, err := readLabels(file, entries)
		if err != nil {
			return err
		}
		readers = append(readers, codes)
	}
	for i, codes := range readers {
		fmt.Fprintf(out, "reader %d\n\n", i+1)
		table(out, "flag", "flagged", "right", "precision", "labelled", "found", "recall", "recall, weighted")
		table(out, "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:")
		for _, f := range faults {
			printFault(out, f, entries, codes)
		}
		fmt.Fprintln(out)
	}
	if len(readers) == 2 {
		table(out, "flag", "both", "first", "second", "neither", "kappa")
		table(out, "---", "---:", "---:", "---:", "---:", "---:")
		for _, f := range faults {
			printAgreement(out, f, entries, readers[0], readers[1])
		}
	}
	return nil
}

func printFault(out io.Writer, f fault, entries []entry, codes map[string]string) {
	var flagged, right, labelled int
	var all, found float64
	for _, e := range entries {
		is, has := applies(f, e, codes), slices.Contains(e.Flags, f.flag)
		flagged += stats.Indicator[int](has)
		right += stats.Indicator[int](has && is)
		labelled += stats.Indicator[int](is)
		all += e.Weight * stats.Indicator[float64](is)
		found += e.Weight * stats.Indicator[float64](is && has)
	}
	weighted := "–"
	if all > 0 {
		weighted = fmt.Sprintf("%.0f %%", 100*found/all)
	}
	table(out, f.flag, flagged, right, share(right, flagged), labelled, right, share(right, labelled), weighted)
}

// applies reports whether a reader found a fault. To decline is one in a critique, and where the request is known to be safe.
func applies(f fault, e entry, codes map[string]string) bool {
	return strings.Contains(codes[e.ID], f.code) && (f.flag != check.Refusal || e.Kind == check.Critique || e.Safe)
}

// share prints a share in per cent with its interval.
func share(count, of int) string {
	if of == 0 {
		return "–"
	}
	s := stats.NewShare(count, of)
	return fmt.Sprintf("%.0f %% (%.0f–%.0f)", 100*s.Share, 100*s.Low, 100*s.High)
}

func printAgreement(out io.Writer, f fault, entries []entry, a, b map[string]string) {
	var cells [2][2]int
	for _, e := range entries {
		cells[stats.Indicator[int](applies(f, e, a))][stats.Indicator[int](applies(f, e, b))]++
	}
	table(out, f.flag, cells[1][1], cells[1][0], cells[0][1], cells[0][0], kappa(cells))
}

// kappa is Cohen's, of a table of what two readers said.
func kappa(cells [2][2]int) string {
	n := float64(cells[0][0] + cells[0][1] + cells[1][0] + cells[1][1])
	a, b := float64(cells[1][0]+cells[1][1])/n, float64(cells[0][1]+cells[1][1])/n
	by := a*b + (1-a)*(1-b) // agreement by chance
	if by == 1 {
		return "–"
	}
	return fmt.Sprintf("%.2f", (float64(cells[0][0]+cells[1][1])/n-by)/(1-by))
}

func readKey(file string) ([]entry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var entries []entry
	for line := range strings.Lines(string(text)) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// readLabels reads lines of an id and the letters of its faults, or "-". Each turn of the key must have one.
func readLabels(file string, entries []entry) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	codes := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if id, letters, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			codes[id] = letters
		}
	}
	for _, e := range entries {
		if codes[e.ID] == "" {
			return nil, fmt.Errorf("%s: no label for %s", file, e.ID)
		}
	}
	return codes, nil
}
