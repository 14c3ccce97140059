package render

import (
	"fmt"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/engine/runstore"
)

// settings writes which models made a run, and what was set.
func (p *Page) settings(run app.StoredRun) {
	m := run.Manifest
	model := "model"
	if run.First != nil {
		p.maker(model, *run.First)
		model = "critic"
	}
	p.maker(model, m)
	for i, line := range Wrap(settingsOf(m), p.width-LabelWidth) {
		label := ""
		if i == 0 {
			label = "settings"
		}
		p.Text(fmt.Sprintf("%-*s%s\n", LabelWidth, label, line))
	}
}

// maker writes a model and its adapter. Paths are not broken into lines.
func (p *Page) maker(label string, m runstore.Manifest) {
	text := app.ShownModel(m)
	if m.Setup.LoRA != "" {
		text += fmt.Sprintf(", with adapter %s at %v", m.Setup.LoRA, m.Results.LoRAScale)
	}
	p.Text(fmt.Sprintf("%-*s%s\n", LabelWidth, label, text))
}

// settingsOf names what was set, under the names of the flags. What is off is left out.
func settingsOf(m runstore.Manifest) string {
	r := m.Results
	parts := []string{"constitution " + OneLine(m.Setup.Constitution), r.Mode, counted(r.Revisions, "revision"), fmt.Sprintf("seed %d", r.Seed)}
	add := func(set bool, format string, args ...any) {
		if set {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(len(m.Setup.Principles) > 0, "principles %s", OneLine(strings.Join(m.Setup.Principles, ",")))
	add(r.NoFewShots, "no demonstrations")
	add(r.Demonstrations != "", "demonstrations %s", r.Demonstrations)
	add(r.Preambles > 1, "demonstration-sets %d", r.Preambles)
	add(r.NoCritique, "no critiques")
	add(r.Samples > 1, "samples %d", r.Samples)
	add(r.FromResponses, "from responses")
	add(r.System != "", "with a system text")
	add(r.Draw != "", "draw %s", r.Draw)
	add(r.Revise != "", "revise %s", r.Revise)
	add(r.Tries > 0, "tries %d", r.Tries)
	add(true, "max-tokens %d", r.MaxTokens)
	add(r.CritiqueMaxTokens > 0, "critique-max-tokens %d", r.CritiqueMaxTokens)
	add(r.RevisionMaxTokens > 0, "revision-max-tokens %d", r.RevisionMaxTokens)
	add(true, "temperature %v", r.Temperature)
	if t := r.CritiqueTemperature; t != nil {
		add(true, "critique-temperature %v", *t)
	}
	if t := r.RevisionTemperature; t != nil {
		add(true, "revision-temperature %v", *t)
	}
	add(r.TopP != 0 && r.TopP != 1, "top-p %v", r.TopP)
	add(r.TopK != 0, "top-k %d", r.TopK)
	add(r.MinP != 0, "min-p %v", r.MinP)
	add(r.RepetitionPenalty != 0, "repetition-penalty %v", r.RepetitionPenalty)
	add(r.FrequencyPenalty != 0, "frequency-penalty %v", r.FrequencyPenalty)
	add(r.PresencePenalty != 0, "presence-penalty %v", r.PresencePenalty)
	add(len(r.LogitBias) > 0, "logit-bias %s", strings.Join(r.LogitBias, ","))
	add(r.GrammarSHA256 != "", "with a critique grammar")
	add(r.Quote, "critiques quote their draft")
	add(r.Chat == "plain", "chat plain")
	add(m.Setup.Template != "", "template %s", OneLine(m.Setup.Template))
	add(r.Gate.On, "gate: %d tries, margin %v, veto %v", r.Gate.Tries, r.Gate.Margin, r.Gate.Veto)
	add(r.Deterministic, "deterministic")
	return strings.Join(parts, ", ")
}
