package bench

import (
	"context"
	"errors"
	"fmt"
	"io"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/workload"
	"amend/constitution"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/sample"
)

// TextWorkload is the name of the workload on text in a Report.
const TextWorkload = "text"

// textConstitution is the document of the text workload. Its demonstrations are a preamble of over 1,000 tokens.
const textConstitution = "hhh"

// RunText measures rounds of critique and revision on prompts, on amend or on a peer.
func RunText(ctx context.Context, env Env, c TextConfig) (r Report, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	t := textRun{config: c}
	if err := t.readInputs(env.Stdin); err != nil {
		return r, err
	}
	if t.session, err = open(ctx, env, c.Config); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.model.Close()) }()
	if err := t.openLoop(ctx); err != nil {
		return r, err
	}
	t.describe()
	if c.Peer.URL != "" {
		err = t.measurePeer(ctx)
	} else {
		err = t.measure(ctx)
	}
	return t.report, err
}

// textRun is the text workload under way.
type textRun struct {
	*session
	config  TextConfig
	doc     *constitution.Document
	rows    []revise.Row
	loop    *revise.Loop
	need    int // the most tokens that a row can come to hold
	sharing int // rows that begin with the loop's prefix
}

// settings are the loop's: the paper's mode, without a system text.
func (t *textRun) settings() revise.Settings {
	c := t.config
	return revise.Settings{
		Rounds: c.Revisions, Mode: revise.Faithful, MaxTokens: c.MaxTokens,
		Sampling: sample.Params{Temperature: c.Temperature, TopP: 1}, Seed: c.Seed,
	}
}

// readInputs reads constitution and prompts. A row that cannot be read is an error: figures of other rows than those asked
// for compare with nothing.
func (t *textRun) readInputs(stdin io.Reader) (err error) {
	if t.doc, err = constitution.Load(textConstitution); err != nil {
		return err
	}
	set, err := prompts.Read(prompts.Paths{t.config.Prompts}, stdin, prompts.Options{Limit: t.config.Limit})
	if err != nil {
		return failure.Input(err)
	}
	if len(set.Bad) > 0 {
		return failure.Inputf("%d rows of %s cannot be read; the first: %v", len(set.Bad), t.config.Prompts, set.Bad[0])
	}
	t.rows = set.Rows
	return nil
}

// openLoop prepares conversations in the model's own template, and the loop.
func (t *textRun) openLoop(ctx context.Context) error {
	if !t.model.HasTemplate() {
		return failure.Inputf("%s carries no chat template, which a server would need too: bring a model that has one", t.model.Info().Path)
	}
	if err := t.model.OpenFormat(ctx); err != nil {
		return err
	}
	settings := t.settings()
	settings.Think = t.model.ThinkTags()
	var err error
	if t.loop, err = revise.New(ctx, t.model.Format(), t.doc, settings); err != nil {
		return failure.Input(err)
	}
	for _, r := range t.rows {
		need, err := t.loop.Need(ctx, r)
		if err != nil {
			return failure.Inputf("row %s: %w", r.ID, err)
		}
		t.need = max(t.need, need.Tokens)
		if need.Unshared == 0 {
			t.sharing++
		}
	}
	return nil
}

// describe notes in the report what the workload is. How many tokens it has is known only when its texts are written.
func (t *textRun) describe() {
	turns := 0
	for _, r := range t.rows {
		turns += 2 * t.config.Revisions
		if r.Response == nil {
			turns++
		}
	}
	preamble := len(t.loop.Prefix())
	t.report.Workload, t.report.Order = TextWorkload, string(revise.Faithful)
	t.report.Lengths = workload.Lengths{Rows: len(t.rows), Preamble: preamble, Rounds: t.config.Revisions}
	t.report.Expected.Turns, t.report.Need = turns, t.need
	t.say("%s: %d rows, %d turns, preamble %d tokens, a row needs up to %d", TextWorkload, len(t.rows), turns, preamble, t.need)
}

// measurePeer has the conversations with the peer.
func (t *textRun) measurePeer(ctx context.Context) (err error) {
	p, c := t.config.Peer, chatWork{doc: t.doc, rows: t.rows, settings: t.settings()}
	t.report.Variants, err = t.inTurns([]string{p.Name}, func(name string) (Variant, error) {
		return driveChatPeer(ctx, p.URL, name, c, p.Slots)
	})
	return err
}

// measure runs amend's variants in turns.
func (t *textRun) measure(ctx context.Context) error {
	b, err := t.newText()
	if err != nil {
		return err
	}
	t.report.Setting = settingName(b.setting)
	t.report.Variants, err = t.inTurns(t.config.Variants, func(name string) (Variant, error) {
		v, stats, err := b.run(ctx, name)
		if err == nil && name == Amend {
			t.report.GoShare = goShare(stats, v.WallS-v.CalibrationS)
		}
		return v, err
	})
	t.report.compare()
	return err
}

// newText prepares the measuring of the variants.
func (t *textRun) newText() (*text, error) {
	preamble := len(t.loop.Prefix())
	if t.sharing < len(t.rows) {
		preamble = 0 // some need cells for all their tokens
	}
	setting, err := t.setting(preamble)
	if err != nil {
		return nil, err
	}
	size, err := t.fit(setting, len(t.rows), t.need, t.model.Trained())
	if err != nil {
		return nil, err
	}
	if t.need > size.Limit {
		return nil, &failure.FieldError{Field: "max-tokens", Value: t.config.MaxTokens, Want: fmt.Sprintf(
			"a row can come to hold %d tokens, and the model was trained on %d: lower it, or take other prompts", t.need, size.Limit)}
	}
	return &text{
		loop: t.loop, rows: t.rows, vocab: t.model.Vocab(), open: t.openContext, setting: setting,
		alive: size.Parallel(), need: t.need, say: t.say,
	}, nil
}
