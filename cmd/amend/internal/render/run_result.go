package render

import (
	"fmt"
	"io"

	"amend/cmd/amend/internal/app"
	"amend/engine/check"
	"amend/engine/export"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// runReport is what `amend run --json` prints.
type runReport struct {
	Out         string                  `json:"out"`
	Prompts     int                     `json:"prompts"` // rows asked for, unreadable ones included
	Completed   int                     `json:"completed"`
	Failed      int                     `json:"failed"` // rows that failed or could not be read
	DoneBefore  int                     `json:"done_before"`
	Revisions   int                     `json:"revisions"`
	Changed     int                     `json:"changed"` // rows whose last answer is not the first response
	Sets        []*export.Tally         `json:"sets"`    // what rows give to training sets
	Decoded     int                     `json:"decode_tokens"`
	Computed    int                     `json:"prefill_tokens_computed"`
	Reused      int                     `json:"prefill_tokens_reused"`
	KVRead      uint64                  `json:"kv_bytes_read"`  // keys and values that attention read
	KVWhole     uint64                  `json:"kv_bytes_whole"` // as much, had each row held its preamble
	WallS       float64                 `json:"wall_s"`
	DecodeTokS  float64                 `json:"decode_tok_s"`  // tokens of decode steps by their time in llama.cpp
	PrefillTokS float64                 `json:"prefill_tok_s"` // computed tokens by the time of prefill steps
	Seed        uint64                  `json:"seed"`
	Cut         int                     `json:"cut"` // turns that ended at max-tokens
	Flags       map[check.Flag]int      `json:"flags"`
	Gate        *runstore.GateSummary   `json:"gate,omitempty"`
	SelfTest    *selftest.Result        `json:"self_test,omitempty"`    // of the gate's judge
	VerdictTest *selftest.VerdictResult `json:"verdict_test,omitempty"` // of its verdicts
	ReadingTest *selftest.VerdictResult `json:"reading_test,omitempty"` // of known critiques
	FitTest     *selftest.FitResult     `json:"fit_test,omitempty"`     // of which principles fit
	Failures    []app.Failure           `json:"failures"`
}

// RunResult writes how a run went, for a person or as JSON. Verbose, the text has the engine's figures, as JSON always does.
// program is how amend is called in commands to copy.
func RunResult(w io.Writer, r app.RunResult, program string, asJSON, verbose bool) error {
	if !asJSON {
		runSummary(w, r, program, verbose)
		return nil
	}
	s := r.Summary
	return JSON(w, runReport{
		Out: r.Out, Prompts: r.Asked, Completed: s.Completed, Failed: r.Failed(), DoneBefore: r.Before, Revisions: s.Revisions,
		Changed: r.Outcome.Changed, Sets: r.Outcome.Sets, Decoded: r.Decoded, Computed: r.Computed, Reused: r.Reused, KVRead: r.KVRead, KVWhole: r.KVWhole, WallS: r.WallS,
		DecodeTokS: r.DecodeTokS, PrefillTokS: r.PrefillTokS, Seed: r.Seed, Cut: s.Flags[check.Cut], Flags: s.Flags, Gate: s.Gate, SelfTest: r.SelfTest, VerdictTest: r.VerdictTest, ReadingTest: r.ReadingTest, FitTest: r.FitTest,
		Failures: r.Failures,
	})
}

// Plan writes what a run would do, for a person or as JSON.
func Plan(w io.Writer, p app.RunPlan, asJSON bool) error {
	if asJSON {
		return JSON(w, p)
	}
	if p.Stage != "" {
		Field(w, "stage", p.Stage)
	}
	if p.InUse != nil {
		Field(w, "in use", fmt.Sprintf("process %d on %s is at work on it: rows are done meanwhile, and no other process may continue it", p.InUse.PID, p.InUse.Host))
	}
	Field(w, "rows", fmt.Sprintf("%d done, %d to do", p.Done, p.Rows))
	for i, c := range p.Changed {
		label := ""
		if i == 0 {
			label = "changed"
		}
		Field(w, label, c)
	}
	Field(w, "turns", fmt.Sprintf("%d stored, %d to compute; rows with nothing to compute: %d", p.Reused, p.Turns, p.Whole))
	if p.Forecast != nil {
		for _, l := range forecast(*p.Forecast, p.Seconds) {
			Field(w, l.label, l.text)
		}
	}
	if len(p.Changed) > 0 {
		Field(w, "next", "the same command with --redo instead of --plan")
	}
	return nil
}
