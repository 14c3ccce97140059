package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// Try takes one prompt through the loop and keeps nothing. told hears what is written, while it is. The row is that of a run
// with these settings: its id, draws and texts are the same. A row that failed is returned with a *failure.RowsError.
func Try(ctx context.Context, env Env, c RunConfig, prompt string, told func(Written)) (rec revise.Record, err error) {
	if c.Model == "" {
		return rec, &NoModelError{"model", Models()}
	}
	if err := c.validateTry(prompt); err != nil {
		return rec, err
	}
	stages := c.stages()
	if err := checkStages(stages); err != nil {
		return rec, err
	}
	set, err := env.onePrompt(c, prompt)
	if err != nil {
		return rec, err
	}
	in, err := env.newInputs(c, set)
	if err != nil {
		return rec, err
	}
	in.job.Stream = true
	h := &tryHost{env: env, told: told}
	_, err = worker.Do[computed](ctx, env.spawner(), jobRun, in.job, h.host())
	switch {
	case err != nil && ctx.Err() != nil:
		return rec, &failure.StoppedError{Cause: errors.New("nothing is kept"), Signal: worker.SignalOf(ctx)}
	case err != nil:
		return rec, decodeFailure(ctx, err)
	case h.record.Error != "":
		return h.record, &failure.RowsError{Failed: 1, Of: 1, What: "rows failed", Detail: h.record.Error}
	}
	return h.record, nil
}

// validateTry checks the settings. What would take two models, or several rows, is for a run.
func (c RunConfig) validateTry(prompt string) error {
	var errs []error
	if strings.TrimSpace(prompt) == "" {
		errs = append(errs, failure.Inputf("the prompt is empty"))
	}
	const want = "is for amend run: one row is tried with one model, without adapters and gate"
	for _, f := range []struct {
		field string
		given bool
	}{{"lora", c.LoRA != ""}, {"critic", c.Critic != ""}, {"critic-lora", c.CriticLoRA != ""}, {"critic-url", c.CriticURL != ""}, {"gate", c.Gate.On}, {"samples", c.Samples > 1}} {
		if f.given {
			errs = append(errs, &failure.FieldError{Field: f.field, Want: want})
		}
	}
	return errors.Join(append(errs, c.validateRow())...)
}

// onePrompt reads a prompt as it is read from a file of prompts.
func (e Env) onePrompt(c RunConfig, prompt string) (*prompts.Set, error) {
	text, err := json.Marshal(map[string]string{"prompt": prompt})
	if err != nil {
		return nil, fmt.Errorf("writing the prompt down: %w", err)
	}
	e.Stdin = strings.NewReader(string(text) + "\n")
	c.Prompts, c.FromResponses, c.Limit = prompts.Paths{"-"}, false, 0
	return e.readPrompts(c)
}

// tryHost is the parent's side of a row that is tried: it has nothing stored, and keeps nothing.
type tryHost struct {
	env    Env
	told   func(Written)
	record revise.Record
}

func (h *tryHost) host() worker.Host {
	nothing := func([]byte) (n worker.Nothing, err error) { return n, nil }
	return worker.Host{
		Unit: "row", Log: h.env.Log, Notify: h.notify,
		PutAside: func(_, why string) error { return errors.New("the row ends the process that computes it: " + why) },
		Methods: newKeptResults(h.env.Log).methods(worker.Methods{
			methodPrevious: worker.NewMethod(func(worker.Nothing) ([]byte, error) { return nil, nil }),
			methodOpen:     worker.NewMethod(func(manifest []byte) (opened, error) { return opened{Manifest: manifest}, nil }),
			methodGet:      worker.NewMethod(func(revise.Key) (t storedTurn, err error) { return t, nil }),
			methodPut:      worker.NewMethod(func(storedTurn) (n worker.Nothing, err error) { return n, nil }),
			methodMeasure:  worker.NewMethod(nothing),
			methodAppend: worker.NewMethod(func(record []byte) (n worker.Nothing, err error) {
				return n, json.Unmarshal(record, &h.record)
			}),
		}),
	}
}

// notify takes what the worker writes.
func (h *tryHost) notify(topic string, body []byte) {
	var w Written
	if topic == writtenTopic && json.Unmarshal(body, &w) == nil {
		h.told(w)
	}
}
