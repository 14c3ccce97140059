package app

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"amend/engine/export"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models"
)

// runFacts say what made a run.
func runFacts(dir string, m runstore.Manifest) ([]export.Fact, error) {
	r := m.Results
	facts, err := makersOf(dir, m)
	if err != nil {
		return nil, err
	}
	facts = append(facts,
		export.Fact{Name: export.ConstitutionFact, Value: versioned(m.Setup.Constitution, m.Setup.ConstitutionVersion) + ", sha256 " + r.ConstitutionSHA256},
		export.Fact{Name: "loop", Value: loopFact(r)},
		export.Fact{Name: "sampling", Value: samplingFact(r)},
		export.Fact{Name: "seed", Value: fmt.Sprint(r.Seed)},
		export.Fact{Name: "the same again?", Value: repeatableFact(m)},
		export.Fact{Name: "prompts", Value: promptsFact(m)},
		export.Fact{Name: "made with", Value: "amend " + m.Setup.Amend + ", llama.cpp " + m.Setup.LlamaCpp},
	)
	if t := m.Measured.VerdictTest; t != nil {
		facts = append(facts, export.Fact{Name: "verdicts on known cases", Value: fmt.Sprintf("%s: %s", t.Verdict, t)})
	}
	if t := m.Measured.CritiqueTest; t != nil {
		facts = append(facts, export.Fact{Name: "critiques of known cases", Value: fmt.Sprintf("%s: %s", t.Verdict, t)})
	}
	if t := m.Measured.ReadingTest; t != nil {
		facts = append(facts, export.Fact{Name: "known critiques", Value: fmt.Sprintf("%s: %s", t.Verdict, t)})
	}
	if t := m.Measured.FitTest; t != nil {
		facts = append(facts, export.Fact{Name: "principles that fit known cases", Value: fmt.Sprintf("%s: %s", t.Verdict, t)})
	}
	return facts, nil
}

func versioned(name, version string) string {
	if version == "" {
		return name
	}
	return name + ", version " + version
}

func revisionsFact(n int) string {
	if n == 1 {
		return "1 revision"
	}
	return fmt.Sprintf("%d revisions", n)
}

// loopFact says how answers were revised. What older versions had no choice in is left out.
func loopFact(r runstore.Results) string {
	text := fmt.Sprintf("%s, %s", r.Mode, revisionsFact(r.Revisions))
	switch revise.When(r.Revise) {
	case revise.Breached:
		text += " of what a verdict does not find clean"
	case revise.Found:
		text += " of what a critique found something in"
	case revise.Always:
	}
	if r.Draw != "" {
		text += ", principles drawn " + r.Draw
	}
	if r.Tries > 0 {
		text += fmt.Sprintf(", up to %d tries of a round while a turn is flagged", r.Tries)
	}
	return text + gateFact(r.Gate)
}

// samplingFact says how tokens were drawn. What draws as if it were not there is left out.
func samplingFact(r runstore.Results) string {
	temperatures, limits := ownFacts(r)
	text := fmt.Sprintf("temperature %v%s, top-p %v, min-p %v", r.Temperature, temperatures, r.TopP, r.MinP)
	for _, s := range []struct {
		name  string
		value float64
	}{
		{"top-k", float64(r.TopK)}, {"repetition penalty", r.RepetitionPenalty},
		{"frequency penalty", r.FrequencyPenalty}, {"presence penalty", r.PresencePenalty},
	} {
		if s.value != 0 {
			text += fmt.Sprintf(", %s %v", s.name, s.value)
		}
	}
	if len(r.LogitBias) > 0 {
		text += ", logit bias " + strings.Join(r.LogitBias, " ")
	}
	return text + fmt.Sprintf("; at most %d tokens a turn%s", r.MaxTokens, limits)
}

// ownFacts are the temperatures and the limits that critiques and revisions have of their own, in parentheses.
func ownFacts(r runstore.Results) (temperatures, limits string) {
	var warm, long []string
	for _, own := range []struct {
		name        string
		temperature *float64
		tokens      int
	}{{"critiques", r.CritiqueTemperature, r.CritiqueMaxTokens}, {"revisions", r.RevisionTemperature, r.RevisionMaxTokens}} {
		if own.temperature != nil {
			warm = append(warm, fmt.Sprintf("%s %v", own.name, *own.temperature))
		}
		if own.tokens > 0 {
			long = append(long, fmt.Sprintf("%s %d", own.name, own.tokens))
		}
	}
	inParentheses := func(parts []string) string {
		if len(parts) == 0 {
			return ""
		}
		return " (" + strings.Join(parts, ", ") + ")"
	}
	return inParentheses(warm), inParentheses(long)
}

// repeatableFact says whether the command gives the same text again (docs/design/exactness.md).
func repeatableFact(m runstore.Manifest) string {
	inexact := models.Inexact(m.Setup.TensorTypes)
	switch {
	case m.Results.ServerModel != "":
		return "critiques and revisions are by a server, which may answer the same request in other words: the same command need not give the same text"
	case m.Results.Deterministic:
		return "the same command gives the same text (`--deterministic`)"
	case m.Setup.FlashAttention: // it is off on a CPU
		return "computed on a GPU: the same command need not give the same text"
	case len(m.Setup.TensorTypes) == 0:
		return "not known: the run did not record the types of its weights"
	case len(inexact) > 0:
		return fmt.Sprintf("with weights in %s a text may depend on the rows computed beside it: the same command need not give the same text, except with `--deterministic`", strings.Join(inexact, ", "))
	}
	return "the same command gives the same text on such a machine"
}

// promptsFact names the prompts.
func promptsFact(m runstore.Manifest) string {
	var names []string
	for _, path := range m.Setup.Prompts {
		names = append(names, filepath.Base(path))
	}
	return strings.Join(append(names, "sha256 "+m.Results.PromptsSHA256), ", ")
}

// labelFacts say what made labels.
func labelFacts(s runstore.FeedbackSettings) []export.Fact {
	judge := "sha256 " + s.ModelSHA256
	if s.LoRASHA256 != "" {
		judge += fmt.Sprintf(", with adapter at %v, sha256 %s", s.LoRAScale, s.LoRASHA256)
	}
	facts := []export.Fact{
		{Name: "judge", Value: judge},
		{Name: export.ConstitutionFact, Value: s.Constitution + ", sha256 " + s.ConstitutionSHA256},
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
			facts = append(facts, makerFacts("model", first)...)
		}
		name = "critic"
	}
	return append(facts, makerFacts(name, m)...), nil
}

// makerFacts say which model made turns, and what its file says of its licence.
func makerFacts(name string, m runstore.Manifest) []export.Fact {
	licence := m.Setup.License
	if licence == "" {
		licence = "not stated in its file"
		switch {
		case m.Results.ServerModel != "":
			licence = "not known: its server does not say"
		case len(m.Setup.TensorTypes) == 0:
			licence = "not recorded by the run"
		}
	}
	return []export.Fact{{Name: name, Value: makerFact(m)}, {Name: "licence of the " + name, Value: licence}}
}

func makerFact(m runstore.Manifest) string {
	text := filepath.Base(m.Setup.Model)
	if m.Setup.Quantization != "" {
		text += ", " + m.Setup.Quantization
	}
	if m.Results.ServerModel != "" {
		text = fmt.Sprintf("%s, the name that the server at %s has for it", m.Results.ServerModel, m.Setup.Server)
	} else {
		text += ", sha256 " + m.Results.ModelSHA256
	}
	if m.Results.LoRASHA256 != "" {
		text += fmt.Sprintf(", with adapter %s at %v, sha256 %s", filepath.Base(m.Setup.LoRA), m.Results.LoRAScale, m.Results.LoRASHA256)
	}
	switch {
	case m.Results.NoFewShots:
		text += ", without demonstrations"
	case m.Results.Demonstrations == string(revise.BeforeCritique):
		text += ", with demonstrations before critiques and revisions"
	}
	return text
}

func gateFact(g runstore.Gate) string {
	if !g.On {
		return ""
	}
	return fmt.Sprintf(" through a gate (%d tries, margin %v, veto %v)", g.Tries, g.Margin, g.Veto)
}
