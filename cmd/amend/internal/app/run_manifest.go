package app

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models"
)

// contents are what a run depends on beside its settings: what is in the files that they name, and what was chosen by them.
type contents struct {
	Model        string // SHA-256, as of all files
	ModelSize    int64  // bytes
	Adapter      string
	AdapterScale float64
	Template     string
	Constitution string
	Prompts      string
	Grammar      string
	Responses    string // what made the first responses, where another run did
	KeyType      string
	Server       string // the model of the server that wrote all turns but first responses, by its name there
	Verdicts     string // how single responses are judged; empty without judgements of them, and in the loop's own conversation
}

// results are all that the text of rows depends on.
func (r RunConfig) results(c contents) runstore.Results {
	s := r.Sampling
	return runstore.Results{
		ModelSHA256: c.Model, ModelSize: c.ModelSize, ServerModel: c.Server, LoRASHA256: c.Adapter, LoRAScale: c.AdapterScale,
		Responses: c.Responses, TemplateSHA256: c.Template, Chat: r.Compute.Chat,
		ConstitutionSHA256: c.Constitution, PromptsSHA256: c.Prompts, Map: slices.Sorted(slices.Values(r.Map)), FromResponses: r.FromResponses,
		Preambles: orZero(r.DemonstrationSets, 1), NoFewShots: r.Demonstrations == revise.BeforeNone, Demonstrations: unless(r.Demonstrations, revise.BeforeAll, revise.BeforeNone), Samples: orZero(r.Samples, 1),
		Mode: string(r.Mode), Revisions: r.Revisions, NoCritique: !r.Critique, System: r.System, Seed: r.Seed, MaxTokens: r.MaxTokens,
		Temperature: s.Temperature, TopK: s.TopK, TopP: s.TopP, MinP: s.MinP,
		RepetitionPenalty: orZero(s.RepetitionPenalty, 1), FrequencyPenalty: s.FrequencyPenalty, PresencePenalty: s.PresencePenalty,
		PenaltyWindow: s.PenaltyWindow, LogitBias: biasTexts(s.LogitBias), GrammarSHA256: c.Grammar, Quote: r.Quote, LogProbs: r.LogProbs,
		CritiqueTemperature: orNil(r.Own.CritiqueTemperature), CritiqueMaxTokens: r.Own.CritiqueMaxTokens,
		RevisionTemperature: orNil(r.Own.RevisionTemperature), RevisionMaxTokens: r.Own.RevisionMaxTokens, Tries: r.Tries,
		Draw: unless(r.Draw, revise.Random), Revise: unless(r.Revise, revise.Always),
		Verdicts: c.Verdicts, Gate: r.Gate.results(), KVType: c.KeyType, Deterministic: r.Compute.Deterministic,
	}
}

// manifest says what makes the run.
func (c *runComputation) manifest() runstore.Manifest {
	if c.server != nil {
		return c.serverManifest()
	}
	r := c.job.Config
	adapter, adapterSHA := c.model.Adapter()
	info := c.model.Info()
	m := runstore.Manifest{
		Created: c.job.Date,
		Results: r.results(contents{
			Model: c.model.SHA256(), ModelSize: int64(info.SizeBytes), Adapter: adapterSHA, AdapterScale: adapter.Scale,
			Template: c.model.TemplateSHA256(), Constitution: c.document.Hash(), Prompts: c.job.PromptsSHA, Grammar: c.grammar,
			Responses: c.job.Responses, KeyType: c.size.TypeK.String(), Verdicts: c.judgedHow(),
		}),
		Setup: c.commonSetup(),
	}
	s := &m.Setup
	s.Model, s.Architecture, s.LoRA, s.Template = info.Path, info.Architecture, adapter.Path, r.Compute.Template
	s.License, s.Quantization, s.TensorTypes = info.License, info.Quantization, typeNames(info.TensorTypes)
	s.Threads, s.Context, s.Parallel, s.KV = c.size.Threads, c.size.Limit, c.size.Parallel(), string(c.size.Layout())
	s.GPULayers, s.FlashAttention = r.Compute.GPULayers, c.size.FlashAttention()
	return m
}

// commonSetup is what is recorded of a run whatever writes its turns.
func (c *runComputation) commonSetup() runstore.Setup {
	r := c.job.Config
	return runstore.Setup{
		Amend: c.job.Version, LlamaCpp: runner.LlamaVersion(), Machine: runner.Machine(),
		Constitution: c.document.Name, ConstitutionVersion: c.document.Version, Principles: r.Principles,
		Prompts: slices.Clone(r.Prompts), Limit: r.Limit, Rows: len(c.rows),
	}
}

// judgedHow is how single responses are judged, as the manifest has it. A gate's own way says nothing.
func (c *runComputation) judgedHow() string {
	switch {
	case c.inspector == nil:
		return ""
	case feedback.LayoutFor(c.document, 0) == feedback.ByPrinciple:
		return "alone"
	default:
		return "in-conversation"
	}
}

// typeNames are the types of a model's weights, the most frequent first.
func typeNames(counts []models.TypeCount) (names []string) {
	for _, c := range counts {
		names = append(names, c.Type)
	}
	return names
}

// orZero is a value as the manifest has it: 0 where it is the one that changes nothing.
func orZero[N int | float64](value, neutral N) N {
	if value == neutral {
		return 0
	}
	return value
}

// orNil is a value as the manifest has it: nil where it is below 0, which stands for another setting's.
func orNil(value float64) *float64 {
	if value < 0 {
		return nil
	}
	return &value
}

// unless is a value as the manifest has it: empty where it is one of those that older manifests say in another way, or mean.
func unless[T ~string](value T, others ...T) string {
	if slices.Contains(others, value) {
		return ""
	}
	return string(value)
}

// results are the gate's settings as the manifest has them.
func (c GateConfig) results() runstore.Gate {
	if !c.On {
		return runstore.Gate{}
	}
	return runstore.Gate{On: true, Tries: c.Tries, Margin: c.Margin, Veto: c.Veto, MinMass: c.MinMass}
}

// biasTexts are the logit biases as the manifest has them, TOKEN=BIAS, by their tokens.
func biasTexts(bias map[engine.Token]float64) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(bias)) {
		out = append(out, fmt.Sprintf("%d=%s", id, strconv.FormatFloat(bias[id], 'g', -1, 64)))
	}
	return out
}

// parseBias reads what biasTexts writes, and what manifests of older versions hold, which is as it was typed.
func parseBias(texts []string) (map[engine.Token]float64, error) {
	var out map[engine.Token]float64
	for _, text := range texts {
		id, value, err := ParseBias(text)
		if err != nil {
			return nil, fmt.Errorf("logit bias %q: %w", text, err)
		}
		if out == nil {
			out = map[engine.Token]float64{}
		}
		out[id] = value
	}
	return out, nil
}

// sameBias is the logit bias as the run that is continued has it, where it means the same.
func sameBias(old *runstore.Manifest, now []string) []string {
	if old == nil {
		return now
	}
	was, err := parseBias(old.Results.LogitBias)
	if err == nil && slices.Equal(biasTexts(was), now) {
		return old.Results.LogitBias
	}
	return now
}

// sameSetup spells the paths of a set-up as the run that is continued does, where they lead to the same file, and leaves out
// what older versions did not record: it is not another set-up.
func sameSetup(old *runstore.Manifest, now *runstore.Setup) {
	if old == nil {
		return
	}
	was := old.Setup
	if len(was.TensorTypes) == 0 {
		now.License, now.Quantization, now.TensorTypes = "", "", nil
	}
	if len(was.Prompts) == len(now.Prompts) {
		for i, then := range was.Prompts {
			samePath(then, &now.Prompts[i])
		}
	}
	for _, p := range []struct {
		then string
		now  *string
	}{{was.Template, &now.Template}, {was.LoRA, &now.LoRA}, {was.Model, &now.Model}} {
		samePath(p.then, p.now)
	}
}

// samePath spells a path as another one that leads to the same file.
func samePath(then string, now *string) {
	a, errA := filepath.Abs(then)
	b, errB := filepath.Abs(*now)
	if then != "" && *now != "" && errors.Join(errA, errB) == nil && a == b {
		*now = then
	}
}
