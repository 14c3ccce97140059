package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"amend/cmd/amend/internal/critic"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// messagesLayout is, in a manifest, how conversations are written for a server: it has a chat template of its own.
const messagesLayout = "messages"

// validateServer refuses what a server cannot do: it gives texts, and neither tokens nor log-probabilities.
func (c RunConfig) validateServer() error {
	if c.CriticURL == "" {
		if c.CriticURLModel != "" {
			return &failure.FieldError{Field: "critic-url-model", Value: c.CriticURLModel, Want: "names a model of a server: give critic-url too"}
		}
		return nil
	}
	if _, err := critic.ParseAddress(c.CriticURL); err != nil {
		return &failure.FieldError{Field: "critic-url", Value: c.CriticURL, Want: err.Error()}
	}
	const logProbs, tokens = "log-probabilities", "the token ids of its model"
	var errs []error
	for _, f := range []struct {
		field string
		given bool
		needs string
	}{
		{"logprobs", c.LogProbs, logProbs}, {"gate", c.Gate.On, logProbs},
		{"draw", c.Draw == revise.Targeted, logProbs}, {"revise", c.Revise == revise.Breached, logProbs},
		{"critique-grammar", c.CritiqueGrammar != "", tokens}, {"quote", c.Quote, tokens}, {"logit-bias", len(c.Sampling.LogitBias) > 0, tokens},
	} {
		if f.given {
			errs = append(errs, &failure.FieldError{Field: f.field, Want: "needs " + f.needs + ", which a server at critic-url does not give: leave it out, or have amend load the model (critic)"})
		}
	}
	for _, f := range []struct{ field, value string }{{"critic", c.Critic}, {"critic-lora", c.CriticLoRA}} {
		if f.value != "" {
			errs = append(errs, &failure.FieldError{Field: f.field, Value: f.value, Want: "is for critiques that amend writes, and critic-url has a server write them: give one of the two"})
		}
	}
	return errors.Join(errs...)
}

// forServer are the settings of the stage that a server does. What it is not sent has no value: how a model is loaded here,
// and penalties that have no name which all servers know.
func (c RunConfig) forServer() RunConfig {
	c.Compute = runner.ComputeConfig{Chat: messagesLayout}
	c.Sampling.RepetitionPenalty, c.Sampling.PenaltyWindow = 1, 0
	if c.Draw == revise.Fitting {
		c.Draw = revise.Random // a server scores no titles
	}
	if c.Revise == revise.Found {
		c.Revise = revise.Always // nor answers
	}
	return c
}

// byServer reports whether a server does this stage.
func (s stage) byServer() bool { return s.responsesOf != "" && s.config.CriticURL != "" }

// checkServer asks for the server before first responses are made. That it has another model, or none, is an error. One that
// is not there yet is only told: it is needed later.
func (e Env) checkServer(ctx context.Context, c RunConfig) error {
	s, err := critic.Open(ctx, c.CriticURL, c.CriticURLModel)
	var stopped *failure.StoppedError
	if errors.As(err, &stopped) {
		e.Log.Warn("the server of critiques and revisions is needed when all first responses are done", "why", err)
		return nil
	}
	if err != nil {
		return err
	}
	return s.Close()
}

// openServer takes the place of a model, where a server writes.
func (c *runComputation) openServer(ctx context.Context) (err error) {
	if c.server, err = critic.Open(ctx, c.job.Config.CriticURL, c.job.Config.CriticURLModel); err != nil {
		return err
	}
	c.parent.AtEnd(c.server.Close)
	return c.openMessages(ctx)
}

// openMessages has conversations written as messages.
func (c *runComputation) openMessages(ctx context.Context) (err error) {
	c.format, err = chat.NewFormatter(ctx, chat.Messages{}, chat.Messages{})
	c.think = chat.Messages{}.Think()
	return err
}

// runByServer has the server write the turns of the rows that are not done yet.
func (c *runComputation) runByServer(ctx context.Context) (out computed, err error) {
	todo, parallel := c.todo(), c.requestsAtOnce()
	out.Before = len(c.rows) - len(todo)
	c.parent.Log().Info("running", "model", c.server.Model, "server", c.server.Address(), "rows", len(todo), "done before", out.Before, "requests at once", parallel)
	c.sayRepeatable()
	c.count(todo)
	c.progress.enter(Working)
	begun := c.env.Now()
	defer context.AfterFunc(ctx, func() {
		c.parent.Log().Info("waiting for the turns in progress; another Ctrl-C stops at once")
	})()
	w := critic.NewWriter(c.server)
	for k, rows := range c.byPreamble(todo) {
		if err := c.feed(ctx, c.loops[k], w, rows, parallel); err != nil {
			return out, err
		}
	}
	out.Stats = w.Stats()
	out.TurnSeconds = c.turnSeconds(begun)
	return out, nil
}

// requestsAtOnce is how many turns the server is asked for at once.
func (c *runComputation) requestsAtOnce() int {
	return cmp.Or(c.job.Config.Context.Parallel, c.server.Slots)
}

// serverManifest says what makes a run that a server writes.
func (c *runComputation) serverManifest() runstore.Manifest {
	m := runstore.Manifest{
		Created: c.job.Date,
		Results: c.job.Config.results(contents{Server: c.server.Model, Constitution: c.document.Hash(), Prompts: c.job.PromptsSHA, Responses: c.job.Responses}),
		Setup:   c.commonSetup(),
	}
	m.Setup.Model, m.Setup.Server, m.Setup.Parallel = c.server.Model, c.server.Address(), c.requestsAtOnce()
	return m
}

// withoutIDs takes the ids off a record's turns: those of messages say nothing of the tokens that the server's model read and
// wrote.
func withoutIDs(rec revise.Record) revise.Record {
	rec.Turns = slices.Clone(rec.Turns)
	for i := range rec.Turns {
		rec.Turns[i].Tokens, rec.Turns[i].Retokenized = nil, 0
	}
	return rec
}

// messagesText writes what a server was sent, a message after another.
func messagesText(conversation []chat.Token) string {
	var b strings.Builder
	for i, m := range (chat.Messages{}).Read(conversation) {
		if i > 0 {
			b.WriteString("\n\n")
		}
		fmt.Fprintf(&b, "[%s]\n%s", m.Role, m.Text)
	}
	return b.String()
}
