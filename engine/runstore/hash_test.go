package runstore

import (
	"encoding/json"
	"testing"

	"amend/engine/enginetest/golden"
	"amend/internal/plainjson"
)

// goldenResults have a value of their own in every field.
func goldenResults() Results {
	return Results{
		ModelSHA256: "a model", ModelSize: 1, LoRASHA256: "an adapter", LoRAScale: 0.5, Responses: "a run", TemplateSHA256: "a template", Chat: "template",
		ConstitutionSHA256: "a constitution", PromptsSHA256: "prompts", FromResponses: true, Preambles: 2, NoFewShots: true, Samples: 3,
		Mode: "append", Revisions: 4, NoCritique: true, System: "Be brief. <é>", Seed: 1<<63 + 1, MaxTokens: 5,
		Temperature: 0.75, TopK: 6, TopP: 0.5, MinP: 0.125, RepetitionPenalty: 1.25, FrequencyPenalty: 0.25, PresencePenalty: -0.5, PenaltyWindow: 7,
		LogitBias: []string{"3=-inf", "9=2.5"}, GrammarSHA256: "a grammar", LogProbs: true,
		Gate: Gate{On: true, Tries: 8, Margin: 0.0625, Veto: 0.03125, MinMass: 0.1}, KVType: "q8_0", Deterministic: true,
	}
}

// goldenLabels have a value of their own in every field.
func goldenLabels() FeedbackSettings {
	return FeedbackSettings{
		Source: "pairs 0123", Date: "2026-01-02", ModelSHA256: "a model", LoRASHA256: "an adapter", LoRAScale: 0.5, TemplateSHA256: "a template",
		Chat: "template", KVType: "q8_0", Deterministic: true, Constitution: "name", ConstitutionSHA256: "a constitution", ConstitutionText: "text <é>",
		Principles: 2, Layout: "options-first", Seed: 1<<63 + 1, MinMass: 0.1, Reasonings: 3, Clamp: [2]float64{0.4, 0.6}, MaxTokens: 4,
		Temperature: 0.75, TopK: 5, TopP: 0.5, MinP: 0.125,
	}
}

// TestGoldenHashes pins what names a run, and the text by which a label set is found.
func TestGoldenHashes(t *testing.T) {
	var lines []string
	for _, r := range []Results{{}, goldenResults()} {
		name, err := r.Hash()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, name, string(text))
	}
	for _, s := range []FeedbackSettings{{}, goldenLabels()} {
		text, err := plainjson.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	golden.Check(t, "hashes", lines)
}
