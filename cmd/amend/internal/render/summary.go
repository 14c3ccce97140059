package render

import (
	"fmt"
	"io"
	"strings"
	"time"

	"amend/cmd/amend/internal/app"
	"amend/engine"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// runSummary writes the short report at the end of a run.
func runSummary(w io.Writer, f app.RunResult) {
	s := f.Summary
	counts(w, s)
	selfTest(w, f.SelfTest)
	verdictTest(w, f.VerdictTest)
	if f.Unreadable > 0 {
		Field(w, "unread", Grouped(f.Unreadable)+" rows of the prompts could not be read")
	}
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
	Field(w, "time", time.Duration(f.WallS*float64(time.Second)).Round(100*time.Millisecond).String())
	File(w, "files", f.Out, runstore.RevisionsFile, "final revisions, ready for fine-tuning")
	File(w, "", f.Out, runstore.DatabaseFile, "the trace of every row: amend show "+f.Out)
	if s.Failed+f.Unreadable > 0 {
		File(w, "", f.Out, runstore.FailedFile, "rows that failed or could not be read, and why")
	}
}

// counts writes the part of the report that the rows alone tell.
func counts(w io.Writer, s runstore.Summary) {
	Field(w, "rows", fmt.Sprintf("%s: %s completed, %s failed", Grouped(s.Rows), Grouped(s.Completed), Grouped(s.Failed)))
	ended := fmt.Sprintf("%s, of these %s revisions; %s ended by themselves, %s at a stop string, %s cut at the token limit",
		Grouped(s.Turns), Grouped(s.Revisions), Grouped(s.Ends[engine.EndToken]), Grouped(s.Ends[engine.EndStop]), Grouped(s.Ends[engine.EndLength]))
	if n := s.Ends[revise.EndGiven]; n > 0 {
		ended += fmt.Sprintf(", %s given with the prompts", Grouped(n))
	}
	Field(w, "turns", ended)
	if s.Gate != nil {
		gate(w, *s.Gate)
	}
	var flags []string
	thinking := s.Flags[revise.Thinking]
	for _, f := range revise.Flags() {
		if f != revise.Thinking || thinking > 0 { // most models do not think
			flags = append(flags, fmt.Sprintf("%s %s", f, Grouped(s.Flags[f])))
		}
	}
	Field(w, "flags", strings.Join(flags, ", "))
	if thinking > 0 {
		Field(w, "", counted(thinking, "turn")+" of thoughts alone, which took the whole limit: raise the limit of tokens, or give a template that turns thinking off")
	}
}
