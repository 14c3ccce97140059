package cli

import (
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"

	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// runReport is what `amend run --json` prints. Rows, revisions, cut and flags
// are those of the prompts that this command names, whichever process did them;
// tokens and times are of this process.
type runReport struct {
	Out         string                `json:"out"`
	Prompts     int                   `json:"prompts"` // rows asked for, unreadable ones included
	Completed   int                   `json:"completed"`
	Failed      int                   `json:"failed"` // rows that failed or could not be read
	DoneBefore  int                   `json:"done_before"`
	Revisions   int                   `json:"revisions"`
	Decoded     int                   `json:"decode_tokens"`
	Computed    int                   `json:"prefill_tokens_computed"`
	Reused      int                   `json:"prefill_tokens_reused"`
	KVRead      uint64                `json:"kv_bytes_read"`  // keys and values that attention read
	KVWhole     uint64                `json:"kv_bytes_whole"` // as much, had each row held its preamble
	WallS       float64               `json:"wall_s"`
	DecodeTokS  float64               `json:"decode_tok_s"`  // tokens of decode steps by their time in llama.cpp
	PrefillTokS float64               `json:"prefill_tok_s"` // computed tokens by the time of prefill steps
	Seed        uint64                `json:"seed"`
	Cut         int                   `json:"cut"` // turns that ended at --max-tokens
	Flags       map[revise.Flag]int   `json:"flags"`
	Gate        *runstore.GateSummary `json:"gate,omitempty"`
	Failures    []rowFailure          `json:"failures"`
}

// rowFailure is a row without a result, and why.
type rowFailure struct {
	Row  string `json:"row"`
	Why  string `json:"why"`
	Line int    `json:"line,omitempty"` // in the prompts file, for a row that could not be read
}

// report finishes the run directory and says how the run went.
func (j *job) report(stdout io.Writer) error {
	if err := j.store.Finish(j.set.Bad); err != nil {
		return &exitError{exitStopped, err} // all rows are on disk: the same command writes the rest
	}
	if j.turnSeconds > 0 {
		measured := j.store.Manifest().Measured
		measured.TurnSeconds = j.turnSeconds
		if err := j.store.Measure(measured); err != nil {
			return &exitError{exitStopped, err}
		}
	}
	summary, err := runstore.Summarize(j.rows())
	if err != nil {
		return err
	}
	r, err := j.newReport(summary)
	if err != nil {
		return err
	}
	if j.options.json {
		if err := render.JSON(stdout, r); err != nil {
			return err
		}
	} else {
		render.RunSummary(stdout, summary, render.Figures{
			WallS: r.WallS, DecodeTokS: r.DecodeTokS, PrefillTokS: r.PrefillTokS,
			DecodeTokens: r.Decoded, PrefillComputed: r.Computed, PrefillReused: r.Reused, Dir: r.Out,
			KVRead: r.KVRead, KVWhole: r.KVWhole,
			Unreadable: len(j.set.Bad),
		})
	}
	if r.Failed > 0 {
		return &exitError{exitRowsFailed, fmt.Errorf("%d of %d rows failed or could not be read; %s lists them", r.Failed, r.Prompts, filepath.Join(r.Out, runstore.FailedFile))}
	}
	return nil
}

// rows yields the finished rows of this command's prompts, in their order. The
// directory holds more when an earlier command had a higher --limit.
func (j *job) rows() iter.Seq2[revise.Record, error] {
	mine := make(map[string]bool, len(j.set.Rows))
	for _, r := range j.set.Rows {
		mine[r.ID] = true
	}
	return func(yield func(revise.Record, error) bool) {
		for rec, err := range j.store.Rows() {
			if err != nil || mine[rec.ID] {
				if !yield(rec, err) {
					return
				}
			}
		}
	}
}

func (j *job) newReport(s runstore.Summary) (runReport, error) {
	st := j.engine.Stats()
	cell := runner.CellBytes(j.file, j.size.TypeK)
	r := runReport{
		Out: j.options.out, Prompts: len(j.set.Rows) + len(j.set.Bad), Completed: s.Completed, Failed: s.Failed + len(j.set.Bad),
		DoneBefore: j.finishedBefore, Revisions: s.Revisions, Decoded: st.Decoded,
		Computed: st.Prefilled, Reused: st.Reused, WallS: time.Since(j.started).Seconds(),
		DecodeTokS: rate(st.StepTokens, st.DecodeTime), PrefillTokS: rate(st.Prefilled, st.PrefillTime),
		KVRead: uint64(st.KVRead) * cell, KVWhole: uint64(st.KVWhole) * cell,
		Seed: j.options.seed, Cut: s.Flags[revise.Cut], Flags: s.Flags, Gate: s.Gate, Failures: []rowFailure{},
	}
	for _, bad := range j.set.Bad {
		r.Failures = append(r.Failures, rowFailure{Row: bad.File, Line: bad.Line, Why: bad.Reason})
	}
	for rec, err := range j.rows() {
		if err != nil {
			return r, err
		}
		if rec.Error != "" {
			r.Failures = append(r.Failures, rowFailure{Row: rec.ID, Why: rec.Error})
		}
	}
	return r, nil
}
