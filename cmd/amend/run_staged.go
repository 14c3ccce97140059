package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"amend/engine/revise"
	"amend/engine/runstore"
)

// responsesFlag names the run of the first responses to the process that goes on from them.
const responsesFlag = "responses"

// staged reports whether first responses and the turns after them are computed by different models or adapters.
func (o *runOptions) staged() bool {
	return o.responsesOf == "" && o.revisions > 0 && (o.lora != "" || o.critic != "" || o.criticLoRA != "")
}

// stages are the two runs that a staged one is: of the responses, in a folder of their own in the run's, and of the rest.
// Each is its flags beside those given.
func (o *runOptions) stages() (responses, rest []string) {
	inner := filepath.Join(o.out, runstore.ResponsesDir)
	same := []string{"--critic=", "--critic-lora="}
	responses = append([]string{"--revisions=0", "--gate=false", "--out=" + inner}, same...)
	rest = append([]string{"--" + responsesFlag + "=" + inner, "--lora=" + o.criticLoRA}, same...)
	if o.critic != "" {
		rest = append(rest, "--model="+o.critic, "--template=")
		if len(o.constitutions) == 0 {
			rest = append(rest, "--constitution="+defaultConstitution(o.model))
		}
	}
	return responses, rest
}

// superviseStages has the responses made first, then the rest: one model in memory at a time.
func superviseStages(cmd *cobra.Command, o runOptions, input []byte) error {
	responses, rest := o.stages()
	if err := superviseRun(cmd, o.verbose, stage{flags: append(givenFlags(cmd), responses...), input: input, stdout: io.Discard}); err != nil {
		var failed *exitError
		if !errors.As(err, &failed) || failed.code != exitRowsFailed { // such rows fail again in the second stage
			return err
		}
	}
	return superviseRun(cmd, o.verbose, stage{flags: append(givenFlags(cmd), rest...), input: input, stdout: cmd.OutOrStdout()})
}

// planStages plans the stage that is not done yet, or the second one.
func planStages(cmd *cobra.Command, o runOptions, input []byte) error {
	responses, rest := o.stages()
	for _, flags := range [][]string{rest, responses} {
		planned := o
		again := newRunCommandOf(&planned)
		again.SetContext(cmd.Context())
		if err := again.ParseFlags(append(givenFlags(cmd), flags...)); err != nil {
			return err
		}
		if planned.responsesOf != "" {
			m, rows, err := runstore.Read(planned.responsesOf)
			if errors.Is(err, runstore.ErrNotARun) {
				continue
			}
			n := 0
			for _, e := range rows {
				err = errors.Join(err, e)
				n++
			}
			if err != nil {
				return err
			}
			if n < m.Setup.Rows {
				continue
			}
		}
		again.SetIn(bytes.NewReader(input))
		again.SetOut(cmd.OutOrStdout())
		again.SetErr(cmd.ErrOrStderr())
		return runJob(again, planned, nil)
	}
	return nil
}

// takeResponses gives the rows the responses of another run, where these are to be gone on from.
func (j *job) takeResponses() error {
	dir := j.options.responsesOf
	if dir == "" {
		return nil
	}
	m, rows, err := runstore.Read(dir)
	if err != nil {
		return err
	}
	if j.responses, err = m.Results.Hash(); err != nil {
		return err
	}
	place := map[string]int{}
	for i, r := range j.set.Rows {
		place[r.ID] = i
	}
	for rec, err := range rows {
		if err != nil {
			return err
		}
		i, ok := place[rec.ID]
		if !ok {
			continue
		}
		row := &j.set.Rows[i]
		if row.First = (&revise.First{Error: rec.Error}); rec.Error == "" {
			row.First.Trace, _ = rec.Final()
		}
	}
	for _, r := range j.set.Rows {
		if r.First == nil && r.Response == nil {
			return fmt.Errorf("row %s has no first response in %s: it is not finished", r.ID, dir)
		}
	}
	return nil
}
