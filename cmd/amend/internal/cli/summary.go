package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"amend/engine"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// Figures are what the process that ran says of its own work; a summary counts the rows of all processes.
type Figures struct {
	WallS           float64 // seconds
	DecodeTokS      float64 // tokens a second of decode steps
	PrefillTokS     float64 // the same of prefill steps
	DecodeTokens    int     // sampled
	PrefillComputed int     // prompt tokens
	PrefillReused   int     // prompt tokens found in the KV cache
	KVRead, KVWhole uint64  // bytes of keys and values that attention read, and would have, had each row held its preamble
	Unreadable      int     // rows of the prompts that could not be read
	Dir             string  // the run directory
}

// printSummary writes the short report at the end of a run.
func printSummary(w io.Writer, s runstore.Summary, f Figures) {
	printCounts(w, s)
	if f.Unreadable > 0 {
		printField(w, "unread", grouped(f.Unreadable)+" rows of the prompts could not be read")
	}
	printField(w, "decode", fmt.Sprintf("%s tokens, %.1f a second", grouped(f.DecodeTokens), f.DecodeTokS))
	printField(w, "prefill", fmt.Sprintf("%s tokens computed, %.1f a second; %s reused (%.0f%%)",
		grouped(f.PrefillComputed), f.PrefillTokS, grouped(f.PrefillReused), percent(f.PrefillReused, f.PrefillComputed+f.PrefillReused)))
	if f.KVRead > 0 {
		kv := gib(f.KVRead) + " of keys and values read"
		if f.KVWhole > f.KVRead {
			kv += fmt.Sprintf("; %s if the preamble were not read once for all rows", gib(f.KVWhole))
		}
		printField(w, "kv", kv)
	}
	printField(w, "time", time.Duration(f.WallS*float64(time.Second)).Round(100*time.Millisecond).String())
	printFile(w, "files", f.Dir, runstore.RevisionsFile, "final revisions, ready for fine-tuning")
	printFile(w, "", f.Dir, runstore.DatabaseFile, "the trace of every row: amend show "+f.Dir)
	if s.Failed+f.Unreadable > 0 {
		printFile(w, "", f.Dir, runstore.FailedFile, "rows that failed or could not be read, and why")
	}
}

// printFile writes a line about a file, whose path is not broken.
func printFile(w io.Writer, label, dir, name, what string) {
	const longest = len(runstore.RevisionsFile) + 2
	fmt.Fprintf(w, "%-*s%s%c%-*s%s\n", labelWidth, label, filepath.Clean(dir), filepath.Separator, longest, name, what)
}

// printCounts writes the part of the report that the rows alone tell.
func printCounts(w io.Writer, s runstore.Summary) {
	printField(w, "rows", fmt.Sprintf("%s: %s completed, %s failed", grouped(s.Rows), grouped(s.Completed), grouped(s.Failed)))
	ended := fmt.Sprintf("%s, of these %s revisions; %s ended by themselves, %s at a stop string, %s cut at the token limit",
		grouped(s.Turns), grouped(s.Revisions), grouped(s.Ends[engine.EndToken]), grouped(s.Ends[engine.EndStop]), grouped(s.Ends[engine.EndLength]))
	if n := s.Ends[revise.EndGiven]; n > 0 {
		ended += fmt.Sprintf(", %s given with the prompts", grouped(n))
	}
	printField(w, "turns", ended)
	if s.Gate != nil {
		printGate(w, *s.Gate)
	}
	var flags []string
	for _, f := range revise.Flags() {
		flags = append(flags, fmt.Sprintf("%s %s", f, grouped(s.Flags[f])))
	}
	printField(w, "flags", strings.Join(flags, ", "))
}

const labelWidth = 10 // cells of the first column of a report

// printField writes a label and its text, continued below itself where it is long.
func printField(w io.Writer, label, text string) {
	for _, line := range wrap(text, defaultWidth-labelWidth) {
		fmt.Fprintf(w, "%-*s%s\n", labelWidth, label, line)
		label = ""
	}
}

// gib writes bytes in GiB.
func gib(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// grouped writes a number with commas: 98,765.
func grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
