package app

import (
	"context"
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/digest"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// SentTurn is what a model was sent for a turn.
type SentTurn struct {
	Kind   revise.Kind    `json:"kind"`
	Round  int            `json:"round"`
	Try    int            `json:"try,omitempty"`
	Tokens []engine.Token `json:"tokens"` // none where a server was sent messages
	Text   string         `json:"text"`   // of the tokens, control tokens included
}

// Sent returns what the model was sent for each turn of a stored row. The row is done again without computing: a turn is
// found in the run by a hash of what it was sent, so what is returned is what was sent, to the token. It loads the model's
// vocabulary. A turn that is not found is an error.
func Sent(ctx context.Context, env Env, run StoredRun, rec revise.Record) ([]SentTurn, error) {
	c, err := RecordedRun(run.Dir)
	if err != nil {
		return nil, failure.Input(err)
	}
	var sent []SentTurn
	stages := c.stages()
	if run.Manifest.Results.Responses == "" {
		stages = stages[len(stages)-1:]
	}
	for _, s := range stages {
		part, err := env.sentIn(ctx, s, rec)
		if err != nil {
			return nil, err
		}
		sent = append(sent, part...)
	}
	generated := 0
	for _, t := range rec.Turns {
		if t.End != revise.EndGiven {
			generated++
		}
	}
	if len(sent) < generated {
		return nil, failure.Inputf("of row %s only %d of %d prompts are known: the model, its template or the constitution is no longer what made the run (amend verify %s)", rec.ID, len(sent), generated, run.Dir)
	}
	return sent, nil
}

// sentIn is what one stage of a run sent.
func (e Env) sentIn(ctx context.Context, s stage, rec revise.Record) (sent []SentTurn, err error) {
	snapshot, err := runstore.Look(s.config.Out)
	if err != nil {
		return nil, failure.Input(err)
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	m := snapshot.Manifest
	c := s.config
	if isTestbed(m) {
		c.Model = modelOf(m)
	}
	r := &runComputation{env: e, job: runJob{Config: c, Date: m.Created}}
	if r.job.Grammar, err = c.grammar(); err != nil {
		return nil, err
	}
	run := StoredRun{Dir: c.Out, Manifest: m}
	if r.document, err = run.constitution(); err != nil {
		return nil, failure.Input(err)
	}
	told := func(tokens []engine.Token) ([]engine.Token, string) { return []engine.Token{}, messagesText(tokens) }
	if s.byServer() {
		err = r.openMessages(ctx)
	} else if r.model, err = runner.OpenVocabulary(ctx, c.Model, c.Compute, e.options(e.Log, m.Created)); err == nil {
		defer func() { err = errors.Join(err, r.model.Close()) }()
		r.useModel()
		told = func(tokens []engine.Token) ([]engine.Token, string) { return tokens, r.model.Vocab().Exact(tokens) }
	}
	if err != nil {
		return nil, err
	}
	if err := r.openLoops(ctx); err != nil {
		return nil, err
	}
	r.learn(m.Measured)
	row := rowAgain(rec, s.responsesOf != "")
	loop := r.loops[r.preambleOf(row)]
	loop.Use(snapshot, environmentOf(m.Results))
	loop.Watch(func(a revise.Asked) {
		if a.Stored {
			tokens, text := told(a.Tokens)
			sent = append(sent, SentTurn{a.Kind, a.Round, a.Try, tokens, text})
		}
	})
	_, err = loop.Plan(ctx, []revise.Row{row})
	return sent, err
}

// rowAgain is the row that a record came of. In the second of two stages its first response is there.
func rowAgain(rec revise.Record, second bool) revise.Row {
	row := revise.Row{ID: rec.ID, Index: rec.Index, Messages: rec.Messages, Attributes: rec.Attributes, Sample: rec.Sample}
	switch {
	case len(rec.Turns) == 0:
	case rec.Turns[0].End == revise.EndGiven:
		row.Response = &rec.Turns[0].Text
	case second:
		row.Initial = &revise.InitialResponse{Turn: rec.Turns[0]}
	}
	return row
}

// environmentOf names what logits of a run depend on beside the tokens, as runner.Model.Environment does.
func environmentOf(r runstore.Results) string {
	if r.ServerModel != "" {
		return digest.ServerEnvironment(r.ServerModel)
	}
	return digest.Model{
		SHA256: r.ModelSHA256, AdapterSHA256: r.LoRASHA256, AdapterScale: r.LoRAScale,
		Chat: r.Chat, TemplateSHA256: r.TemplateSHA256, KeyType: r.KVType, Deterministic: r.Deterministic,
	}.Environment()
}
