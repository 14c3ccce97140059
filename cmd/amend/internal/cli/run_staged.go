package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"amend/constitution"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models"
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
	if err := o.checkCritic(); err != nil {
		return err
	}
	responses, rest := o.stages()
	if err := superviseRun(cmd, o.verbose, stage{flags: append(givenFlags(cmd), responses...), input: input, stdout: io.Discard}); err != nil {
		var failed *exitError
		if !errors.As(err, &failed) || failed.code != exitRowsFailed { // such rows fail again in the second stage
			return err
		}
	}
	return superviseRun(cmd, o.verbose, stage{flags: append(givenFlags(cmd), rest...), input: input, stdout: cmd.OutOrStdout()})
}

// checkCritic finds what the second stage would find, before the first one has cost anything.
func (o *runOptions) checkCritic() error {
	if o.critic != "" {
		file, err := resolveModel(o.critic)
		if err != nil {
			return err
		}
		if _, ok := file.Parts[0].String("tokenizer.chat_template"); !ok && o.chat == chatTemplate {
			return usage(fmt.Errorf("the critic %s carries no chat template: give --chat plain", file.Path))
		}
	}
	if o.criticLoRA != "" {
		if _, err := models.Open(parseAdapter(o.criticLoRA).path); err != nil {
			return usage(fmt.Errorf("opening the critic's adapter: %w", err))
		}
	}
	if !o.gate.on {
		return nil
	}
	doc, err := constitution.Load(o.layers()...)
	if err == nil {
		doc, err = doc.Select(o.principles)
	}
	if err == nil {
		err = feedback.Check(doc)
	}
	return usage(err)
}

// planStages plans the first stage, and the second one where the first is done.
func planStages(cmd *cobra.Command, o runOptions, input []byte) error {
	responses, rest := o.stages()
	p, err := planStage(cmd, o, input, responses)
	if err != nil {
		return err
	}
	if p.Stage = "first responses"; len(p.Changed) == 0 && p.Rows == 0 {
		if p, err = planStage(cmd, o, input, rest); err != nil {
			return err
		}
		p.Stage = "critiques and revisions"
	}
	return p.print(cmd.OutOrStdout(), o.json)
}

// planStage plans one.
func planStage(cmd *cobra.Command, o runOptions, input []byte, flags []string) (runPlan, error) {
	again := newRunCommandOf(&o)
	again.SetContext(cmd.Context())
	if err := again.ParseFlags(append(givenFlags(cmd), flags...)); err != nil {
		return runPlan{}, err
	}
	again.SetIn(bytes.NewReader(input))
	again.SetErr(cmd.ErrOrStderr())
	return planJob(again, o)
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
		if row.Initial = (&revise.InitialResponse{Error: rec.Error}); rec.Error == "" {
			row.Initial.Turn, _ = rec.Final()
		}
	}
	for _, r := range j.set.Rows {
		if r.Initial == nil && r.Response == nil {
			return fmt.Errorf("row %s has no first response in %s: it is not finished", r.ID, dir)
		}
	}
	return nil
}
