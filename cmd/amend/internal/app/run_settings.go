package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/engine/sample"
	"amend/models"
)

// RunSources say where a run's settings come from, apart from single flags.
type RunSources struct {
	Out    string // the run directory; one that exists has settings of its own
	Like   string // a run whose settings are taken, except prompts, constitution, principles and out
	Config string // a config file
	// Given sets what is given one by one; nil: nothing is.
	Given func(*RunConfig)
}

// ResolveRun returns the settings of a run. Later sources win: defaults, the run that is continued, another run (Like), a
// file (Config), what is given one by one.
func ResolveRun(s RunSources) (RunConfig, error) {
	c, err := s.resolve("")
	if err != nil {
		return c, err
	}
	return s.resolve(c.Model) // its file may recommend sampling settings
}

// resolve returns the settings, with the sampling settings that a model's file recommends.
func (s RunSources) resolve(model string) (RunConfig, error) {
	c := DefaultRunConfig()
	c.Preset.apply(&c, model)
	if s.Out == "" && s.Config != "" { // the file may name the run
		var file RunConfig
		if err := readSettings(s.Config, &file); err != nil {
			return c, err
		}
		s.Out = file.Out
	}
	if s.Out != "" {
		switch old, err := RecordedRun(s.Out); {
		case err == nil:
			c = old
		case !errors.Is(err, runstore.ErrNotARun):
			return c, err
		}
	}
	if s.Like != "" {
		like, err := RecordedRun(s.Like)
		if err != nil {
			return c, &failure.FieldError{Field: "like", Value: s.Like, Want: err.Error()}
		}
		like.Map = c.Map
		like.Prompts, like.Constitution, like.Principles, like.Out = c.Prompts, c.Constitution, c.Principles, c.Out
		c = like
	}
	if s.Config != "" {
		if err := c.layer(model, func(c *RunConfig) error { return readSettings(s.Config, c) }); err != nil {
			return c, err
		}
	}
	if s.Out != "" {
		c.Out = s.Out
	}
	if s.Given == nil {
		return c, nil
	}
	return c, c.layer(model, func(c *RunConfig) error { s.Given(c); return nil })
}

// layer lays settings over c. A preset that is among them sets the sampling settings, before the others are laid.
func (c *RunConfig) layer(model string, lay func(*RunConfig) error) error {
	before := c.Preset
	c.Preset = ""
	if err := lay(c); err != nil {
		return err
	}
	if c.Preset == "" {
		c.Preset = before
		return nil
	}
	c.Preset.apply(c, model)
	return lay(c)
}

// RecordedRun returns the settings that a run directory holds, also that of a run whose first responses are not done. The
// error matches runstore.ErrNotARun if there is no run.
func RecordedRun(dir string) (RunConfig, error) {
	file := filepath.Join(dir, runstore.SettingsFile)
	there, err := exists(file)
	if err != nil {
		return RunConfig{}, failure.Inputf("reading the run's settings: %w", err)
	}
	m, _, err := runstore.Read(dir)
	if errors.Is(err, runstore.ErrNotARun) && there {
		m.Format, err = runstore.Format, nil
	}
	if err != nil {
		return RunConfig{}, err
	}
	c := runDefaults(m.Format)
	if there {
		err = readSettings(file, &c)
	} else {
		c, err = settingsOf(dir, m, c)
	}
	c.Out = dir
	return c, err
}

// runDefaults are the defaults of the version that wrote a run: what its settings lack has these values. They never
// change. A version with another default, or another setting, writes another format and adds its own here.
func runDefaults(format int) RunConfig {
	c := RunConfig{}
	switch format {
	case 2, 3, 4: // 3 is the first with a file of settings
		c = RunConfig{
			Demonstrations: "all", DemonstrationSets: 1, Samples: 1,
			Revisions: 2, Critique: true, Mode: "faithful", Draw: "random", Revise: "always", MaxTokens: 256,
			Preset: "paper", Sampling: sample.Params{Temperature: 1, TopP: 1, RepetitionPenalty: 1},
			Own:       OwnLimits{CritiqueTemperature: -1, RevisionTemperature: -1},
			Gate:      GateConfig{Tries: 2, MinMass: 0.1},
			Speculate: true,
			Compute:   runner.ComputeConfig{Chat: "template", GPULayers: -1},
			Context:   runner.ContextConfig{KV: "auto", KVType: "auto"},
		}
	case 6:
		c = runDefaults(5)
		c.Draw, c.Revise = "fitting", "found"
	case 5:
		c = runDefaults(4)
		c.Demonstrations, c.Tries, c.Preset = "critique", 3, "recommended"
		c.Sampling = sample.Params{Temperature: 0.7, TopP: 1, MinP: 0.1, RepetitionPenalty: 1}
	}
	if format < 4 { // the first without a default model
		c.Model = "testbed"
	}
	return c
}

// settingsOf reads the settings of a run of before there was a settings file from its manifest. What a manifest does not
// hold are settings that change no result: they have their defaults.
func settingsOf(dir string, m runstore.Manifest, c RunConfig) (RunConfig, error) {
	r := m.Results
	bias, err := parseBias(r.LogitBias)
	if err != nil {
		return c, fmt.Errorf("reading the manifest of %s: %w", dir, err)
	}
	c.Model, c.LoRA = modelOf(m), runner.Adapter{Path: m.Setup.LoRA, Scale: r.LoRAScale}.String()
	c.Compute.Chat, c.Compute.Template = r.Chat, m.Setup.Template
	c.Compute.GPULayers, c.Compute.Deterministic = m.Setup.GPULayers, r.Deterministic
	c.Context.KVType = r.KVType
	c.Constitution = []string{filepath.Join(dir, runstore.ConstitutionFile)}
	c.Principles = m.Setup.Principles
	if c.DemonstrationSets = max(1, r.Preambles); r.NoFewShots {
		c.Demonstrations = revise.BeforeNone
	}
	c.Prompts, c.Map, c.FromResponses, c.Limit, c.Samples = m.Setup.Prompts, r.Map, r.FromResponses, m.Setup.Limit, max(1, r.Samples)
	c.Mode, c.Revisions, c.Critique = revise.Mode(r.Mode), r.Revisions, !r.NoCritique
	c.System, c.Seed, c.MaxTokens, c.LogProbs = r.System, r.Seed, r.MaxTokens, r.LogProbs
	s := &c.Sampling
	s.Temperature, s.TopK, s.TopP, s.MinP = r.Temperature, r.TopK, r.TopP, r.MinP
	s.FrequencyPenalty, s.PresencePenalty, s.PenaltyWindow, s.LogitBias = r.FrequencyPenalty, r.PresencePenalty, r.PenaltyWindow, bias
	if r.RepetitionPenalty != 0 {
		s.RepetitionPenalty = r.RepetitionPenalty
	}
	if g := r.Gate; g.On {
		c.Gate = GateConfig{On: true, Tries: g.Tries, Margin: g.Margin, Veto: g.Veto, MinMass: g.MinMass}
	}
	if r.GrammarSHA256 != "" {
		c.CritiqueGrammar = unknownGrammar
	}
	there, err := exists(constitutionFile(dir))
	if err != nil {
		return c, fmt.Errorf("reading the run's constitution: %w", err)
	}
	if !there {
		c.Constitution = nil // a process died before it wrote one
	}
	if r.Responses == "" {
		return c, nil
	}
	return unstage(dir, m, c)
}

// unknownGrammar stands for the grammar of a run whose manifest has only its hash.
const unknownGrammar = "(not recorded)"

// unstage returns the settings of a run of two stages. c are the settings of the second stage.
func unstage(dir string, m runstore.Manifest, c RunConfig) (RunConfig, error) {
	first, _, err := runstore.Read(filepath.Join(dir, runstore.ResponsesDir))
	if err != nil {
		return c, fmt.Errorf("reading the run of first responses: %w", err)
	}
	c.CriticLoRA = c.LoRA
	c.LoRA = runner.Adapter{Path: first.Setup.LoRA, Scale: first.Results.LoRAScale}.String()
	if first.Results.ModelSHA256 != m.Results.ModelSHA256 {
		c.Critic, c.Model = c.Model, modelOf(first)
		c.Compute.Template = first.Setup.Template
	}
	return c, nil
}

// record returns the settings as the run keeps them, with defaults that depend on other settings filled in.
func (c RunConfig) record() RunConfig {
	c.Constitution, c.Principles, c.Out = slices.Clone(c.layers()), slices.Clone(c.Principles), ""
	c.Prompts, c.Map = slices.Clone(c.Prompts), slices.Clone(c.Map)
	return c
}

// warnOfAnotherModel says that a run is done again with another model or adapter than it was begun with: files count by
// their content.
func (e Env) warnOfAnotherModel(ctx context.Context, stages []stage) error {
	for _, s := range stages {
		m, _, err := runstore.Read(s.config.Out)
		if errors.Is(err, runstore.ErrNotARun) || !s.config.Redo || s.byServer() {
			continue
		}
		if err != nil {
			return err
		}
		file, err := runner.Find(s.config.Model)
		if err != nil {
			return err
		}
		sum, err := file.SHA256(ctx)
		if err != nil {
			return err
		}
		if sum != m.Results.ModelSHA256 {
			e.Log.Warn("the run is done again with another model", "then", m.Setup.Model, "now", file.Path)
		}
		adapter := runner.ParseAdapter(s.config.LoRA)
		if sum, err = adapterSHA256(ctx, adapter); err != nil {
			return err
		}
		if sum != m.Results.LoRASHA256 || adapter.Scale != m.Results.LoRAScale {
			then := runner.Adapter{Path: m.Setup.LoRA, Scale: m.Results.LoRAScale}
			e.Log.Warn("the run is done again with another adapter", "then", cmp.Or(then.String(), "none"), "now", cmp.Or(adapter.String(), "none"))
		}
	}
	return nil
}

// adapterSHA256 is the checksum of an adapter's file; empty without an adapter.
func adapterSHA256(ctx context.Context, a runner.Adapter) (string, error) {
	if a.Path == "" {
		return "", nil
	}
	file, err := models.Open(a.Path)
	if err != nil {
		return "", failure.Inputf("opening the adapter: %w", err)
	}
	return file.SHA256(ctx)
}
