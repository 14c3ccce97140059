package render

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"amend/cmd/amend/internal/app"
	"amend/engine"
	"amend/engine/export"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// runSummary writes the report at the end of a run: what became of the answers, and what to do next. Verbose, it also has
// the engine's figures.
func runSummary(w io.Writer, r app.RunResult, program string, verbose bool) {
	if r.Unreadable > 0 {
		Field(w, "rows", fmt.Sprintf("%s: %s, %s could not be read", Grouped(r.Summary.Rows+r.Unreadable), rowEnds(r.Summary), Grouped(r.Unreadable)))
	} else {
		rowCounts(w, r.Summary)
	}
	outcome(w, r)
	if r.Summary.Gate != nil && !verbose {
		triesOutcome(w, *r.Summary.Gate, r.Summary.Completed, program)
	}
	selfTest(w, r.SelfTest)
	verdictTest(w, "verdicts", r.VerdictTest)
	if verbose {
		verdictTest(w, "critiques", r.ReadingTest)
		if t := r.FitTest; t != nil {
			Field(w, "fit", fmt.Sprintf("%s: %s", t.Verdict, t))
		}
		turnCounts(w, r.Summary)
		engineFigures(w, r)
	}
	Field(w, "time", time.Duration(r.WallS*float64(time.Second)).Round(100*time.Millisecond).String())
	File(w, "files", r.Out, runstore.RevisionsFile, "the last answer of each row, flagged ones too")
	File(w, "", r.Out, runstore.DatabaseFile, "every turn of every row")
	if r.Failed() > 0 {
		File(w, "", r.Out, runstore.FailedFile, "rows that failed or could not be read, and why")
	}
	next(w, r, program)
}

// outcome writes what became of the answers.
func outcome(w io.Writer, r app.RunResult) {
	o, done := r.Outcome, r.Summary.Completed
	if r.Rounds > 0 {
		Field(w, "changed", fmt.Sprintf("%s of %s (%.0f%%)", Grouped(o.Changed), counted(done, "answer"), Percent(o.Changed, done)))
	}
	label, rule := "usable", "By form alone."
	for _, s := range setsOf(r) {
		text := fmt.Sprintf("for %s %s of %s", s.Format, Grouped(s.Usable), counted(r.Summary.Rows, "row"))
		if s.Revised < s.Usable && r.Rounds > 0 {
			text += fmt.Sprintf(" (%s of them revised)", Grouped(s.Revised))
		}
		if left := r.Summary.Rows - s.Usable; left > 0 {
			rule = "By form alone. " + onlyReason
			text += fmt.Sprintf("; %s left out: %s", Grouped(left), leftOut(s.LeftOut, s.Flags))
		}
		Field(w, label, text)
		label = ""
	}
	Field(w, "", rule)
	if o.Example != nil {
		example(w, *o.Example)
	}
}

// setsOf are the training sets that a run can be meant for: without revisions there are no pairs.
func setsOf(r app.RunResult) []*export.Tally {
	return slices.DeleteFunc(slices.Clone(r.Outcome.Sets), func(s *export.Tally) bool { return s.Format != export.SFT && r.Rounds == 0 })
}

// example writes one answer before and after its revision.
func example(w io.Writer, e app.Example) {
	const most = 240 // characters
	head := fmt.Sprintf("row %d, %s, under %s", e.Row, OneLine(e.ID), OneLine(e.Principle))
	Field(w, "example", joinFlags(head, e.Flags))
	Field(w, "  before", excerpt(e.Before, most))
	Field(w, "  after", excerpt(e.After, most))
}

// excerpt is the beginning of a text in one line, cut at a space.
func excerpt(text string, most int) string {
	line := OneLine(text)
	runes := []rune(line)
	if len(runes) <= most {
		return cmp.Or(line, "(empty)")
	}
	head := string(runes[:most])
	if at := strings.LastIndexByte(head, ' '); at > 0 {
		head = head[:at]
	}
	return head + " …"
}

// next writes the commands that come next, and what would make more of the rows usable.
func next(w io.Writer, r app.RunResult, program string) {
	label := "next"
	write := func(command string) {
		fmt.Fprintf(w, "%-*s%s %s\n", LabelWidth, label, program, command) // not broken into lines: it is to be copied
		label = ""
	}
	if r.Outcome.Changed > 0 {
		write("show " + r.Out + " --changed")
	} else {
		write("show " + r.Out)
	}
	if r.Samples > 1 {
		write("feedback " + r.Out)
	}
	for _, s := range setsOf(r) {
		if s.Usable > 0 {
			write(fmt.Sprintf("export %s --format %s --out %s", r.Out, s.Format, filepath.Join("sets", filepath.Base(r.Out)+"-"+string(s.Format))))
		}
	}
	of, pairs := r.Outcome.Sets[0], r.Outcome.Sets[1]
	if r.Rounds > 0 && of.Revised == 0 && pairs.LeftOut[export.Flagged] >= of.LeftOut[export.Flagged] {
		of = pairs // revisions are what is wanted, and there they are missed
	}
	if 10*of.Usable >= 9*r.Asked {
		return // nearly all
	}
	forMore(w, program, advice(program, r.Out, of.LeftOut, of.Flags))
}

// engineFigures writes what the engine computed.
func engineFigures(w io.Writer, f app.RunResult) {
	Field(w, "decode", fmt.Sprintf("%s tokens, %.1f a second", Grouped(f.Decoded), f.DecodeTokS))
	Field(w, "prefill", fmt.Sprintf("%s tokens computed, %.1f a second; %s reused (%.0f%%)",
		Grouped(f.Computed), f.PrefillTokS, Grouped(f.Reused), Percent(f.Reused, f.Computed+f.Reused)))
	if f.KVRead > 0 {
		kv := GiB(f.KVRead) + " of keys and values read"
		if f.KVWhole > f.KVRead {
			kv += fmt.Sprintf("; %s if the preamble were not read once for all rows", GiB(f.KVWhole))
		}
		Field(w, "kv", kv)
	}
}

// rowCounts writes how many rows ended, and how.
func rowCounts(w io.Writer, s runstore.Summary) {
	Field(w, "rows", Grouped(s.Rows)+": "+rowEnds(s))
}

func rowEnds(s runstore.Summary) string {
	return fmt.Sprintf("%s completed, %s failed", Grouped(s.Completed), Grouped(s.Failed))
}

// turnCounts writes what the turns alone tell.
func turnCounts(w io.Writer, s runstore.Summary) {
	ended := fmt.Sprintf("%s, of these %s revisions; %s ended by themselves, %s at a stop string, %s cut at the token limit",
		Grouped(s.Turns), Grouped(s.Revisions), Grouped(s.Ends[engine.EndToken]), Grouped(s.Ends[engine.EndStop]), Grouped(s.Ends[engine.EndLength]))
	if n := s.Ends[revise.EndGiven]; n > 0 {
		ended += fmt.Sprintf(", %s given with the prompts", Grouped(n))
	}
	Field(w, "turns", ended)
	if s.Gate != nil {
		tries(w, *s.Gate)
	}
	flags := flagTotals(s.Flags)
	if flags == "" {
		flags = "none"
	}
	Field(w, "flags", flags)
}
