package app

import (
	"errors"
	"fmt"
	"path/filepath"

	"amend/engine/export"
	"amend/engine/runstore"
)

// constitutionFact is the name of the fact that both runs and labels have.
const constitutionFact = "constitution"

// runFacts say what made a run.
func runFacts(dir string, m runstore.Manifest) ([]export.Fact, error) {
	r := m.Results
	facts, err := makersOf(dir, m)
	if err != nil {
		return nil, err
	}
	return append(facts,
		export.Fact{Name: constitutionFact, Value: m.Setup.Constitution + ", sha256 " + r.ConstitutionSHA256},
		export.Fact{Name: "loop", Value: fmt.Sprintf("%s, %d revisions%s, temperature %v, seed %d", r.Mode, r.Revisions, gateFact(r.Gate), r.Temperature, r.Seed)},
		export.Fact{Name: "prompts", Value: "sha256 " + r.PromptsSHA256},
		export.Fact{Name: "made with", Value: "amend " + m.Setup.Amend + ", llama.cpp " + m.Setup.LlamaCpp},
	), nil
}

// labelFacts say what made labels.
func labelFacts(s runstore.FeedbackSettings) []export.Fact {
	judge := "sha256 " + s.ModelSHA256
	if s.LoRASHA256 != "" {
		judge += fmt.Sprintf(", with adapter at %v, sha256 %s", s.LoRAScale, s.LoRASHA256)
	}
	facts := []export.Fact{
		{Name: "judge", Value: judge},
		{Name: constitutionFact, Value: s.Constitution + ", sha256 " + s.ConstitutionSHA256},
		{Name: "judgements", Value: fmt.Sprintf("%d principles a pair, in both orders, %s, seed %d", s.Principles, s.Layout, s.Seed)},
	}
	if s.Reasonings > 0 {
		facts = append(facts, export.Fact{Name: "reasonings", Value: fmt.Sprintf("%d before each answer, probabilities from %v to %v", s.Reasonings, s.Clamp[0], s.Clamp[1])})
	}
	return facts
}

// makersOf are the models and adapters that made a run: those of its first responses, where they were others, first.
func makersOf(dir string, m runstore.Manifest) (facts []export.Fact, err error) {
	name := "model"
	if m.Results.Responses != "" {
		first, _, err := runstore.Read(filepath.Join(dir, runstore.ResponsesDir))
		if err != nil && !errors.Is(err, runstore.ErrNotARun) {
			return nil, err
		}
		if err == nil { // else somebody took it away
			facts = append(facts, export.Fact{Name: "model", Value: makerFact(first)})
		}
		name = "critic"
	}
	return append(facts, export.Fact{Name: name, Value: makerFact(m)}), nil
}

func makerFact(m runstore.Manifest) string {
	text := filepath.Base(m.Setup.Model) + ", sha256 " + m.Results.ModelSHA256
	if m.Results.LoRASHA256 != "" {
		text += fmt.Sprintf(", with adapter %s at %v, sha256 %s", filepath.Base(m.Setup.LoRA), m.Results.LoRAScale, m.Results.LoRASHA256)
	}
	if m.Results.NoFewShots {
		text += ", without demonstrations"
	}
	return text
}

func gateFact(g runstore.Gate) string {
	if !g.On {
		return ""
	}
	return fmt.Sprintf(" through a gate (%d tries, margin %v, veto %v)", g.Tries, g.Margin, g.Veto)
}
