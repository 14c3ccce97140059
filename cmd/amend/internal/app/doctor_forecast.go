package app

import (
	"context"
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/chat"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// What Doctor forecasts: rows of a prompt as long as a question is.
const (
	forecastRows   = 100
	forecastPrompt = "My sourdough keeps coming out flat and gummy in the middle. What am I most likely doing wrong?"
)

// forecast plans rows of a model with default settings; without a chat template they are plain.
func (m *HealthModel) forecast(ctx context.Context, env Env, name string, template bool) error {
	c := DefaultRunConfig()
	c.Model, c.Samples = name, m.Rows
	if !template {
		c.Compute.Chat = runner.ChatPlain
	}
	in, err := env.newInputs(c, &prompts.Set{Rows: []revise.Row{{ID: "forecast", Messages: []chat.Message{{Role: chat.User, Text: forecastPrompt}}}}})
	if err != nil {
		return err
	}
	p, err := env.planInputs(ctx, in)
	if input := new(failure.InputError); errors.As(err, &input) {
		m.WhyNot = input.Error()
		return nil
	}
	m.Forecast = p.Forecast
	return err
}
