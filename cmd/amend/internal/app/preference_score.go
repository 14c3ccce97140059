package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/prompts"
	"amend/engine/reward"
	"amend/engine/split"
)

// ScoreConfig are the settings of scoring answers with a preference model.
type ScoreConfig struct {
	Preference string               `yaml:"preference"` // the preference model's file
	Model      string               `yaml:"model"`      // that it was trained over
	Prompts    prompts.Paths        `yaml:"prompts"`    // rows with responses; "-" is Env.Stdin
	Map        []string             `yaml:"map"`        // columns of fields (prompts.Mapping)
	Limit      int                  `yaml:"limit"`      // rows to take; 0: all
	Compute    runner.ComputeConfig `yaml:",inline"`
}

// DefaultScoreConfig returns the default settings of scoring.
func DefaultScoreConfig() ScoreConfig {
	return ScoreConfig{Compute: runner.DefaultCompute()}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c ScoreConfig) Validate() error {
	var missing error
	if len(c.Prompts) == 0 {
		missing = failure.Missing("prompts", "the answers to score")
	}
	return errors.Join(missing, validateMap(c.Map), c.Compute.Validate())
}

// Score is the score of a response. Scores are comparable only between answers to the same prompt.
type Score struct {
	ID    string  `json:"id"`
	Score float64 `json:"score"`
}

// ScoreAnswers scores rows with responses, in their order. A *failure.RowsError comes with the scores where rows could not
// be read or scored.
func ScoreAnswers(ctx context.Context, env Env, c ScoreConfig) ([]Score, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Model == "" {
		return nil, &NoModelError{"model", Models()}
	}
	set, err := prompts.Read(c.Prompts, env.Stdin, prompts.Options{FromResponses: true, Limit: c.Limit, Map: mapping(c.Map)})
	if err != nil {
		return nil, failure.Input(err)
	}
	env.sayHowRead(set.Report)
	env.warnOfBadRows(set.Bad)
	_, job, err := env.scorerJob(c.Preference, c.Model, c.Compute)
	if err != nil {
		return nil, err
	}
	for _, r := range set.Rows {
		if r.Response == nil {
			return nil, failure.Inputf("row %s has no response to score", r.ID)
		}
		job.Responses = append(job.Responses, response{ID: r.ID, Messages: r.Messages, Text: *r.Response})
	}
	h, _, err := env.readStates(ctx, job)
	if err != nil {
		return nil, err
	}
	var scores []Score
	failed := &failure.RowsError{Failed: len(set.Bad), Of: len(set.Bad) + len(set.Rows), What: "rows could not be read or scored"}
	if len(set.Bad) > 0 {
		failed.Detail = fmt.Sprintf("the first: %v", set.Bad[0])
	}
	for _, r := range set.Rows {
		if why, crashed := h.crashed[r.ID]; crashed {
			failed.Failed++
			failed.Detail = cmp.Or(failed.Detail, fmt.Sprintf("row %s: %s", r.ID, why))
			continue
		}
		if why, refused := h.refused[r.ID]; refused {
			return nil, failure.Inputf("row %s: %s", r.ID, why)
		}
		scores = append(scores, Score{r.ID, h.read[r.ID].Score})
	}
	if failed.Failed > 0 {
		return scores, failed
	}
	return scores, nil
}

// scorerJob reads the file of a preference model, and makes a job that scores responses with it. It warns of one that was trained
// by another split of prompts.
func (e Env) scorerJob(file, model string, compute runner.ComputeConfig) (*reward.Model, statesJob, error) {
	job := statesJob{Model: model, Compute: compute}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, job, failure.Input(err)
	}
	m, err := reward.Decode(text)
	if err != nil {
		return nil, job, failure.Inputf("%s: %w", file, err)
	}
	if m.Split != split.Name {
		e.Log.Warn("an older version trained this preference model with another split of prompts: it may have seen prompts that amend export --test or amend prefer train --test hold out now",
			"file", file, "split", cmp.Or(m.Split, "none recorded"), "this version's", split.Name)
	}
	job.Preference, job.PreferenceFile, job.Date = text, file, m.Date
	return m, job, nil
}
