package runstore

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"

	"amend/engine"
	"amend/engine/plainjson"
	"amend/engine/prompts"
	"amend/engine/selftest"
)

// Format is the number of the layout of run directories that this version writes. Another default of a setting, or another
// setting, is another format too: what an older run does not say means what its version took it for.
const Format = 6

// OldestFormat is the oldest layout that this version reads. Format 2 has no file of settings.
const OldestFormat = 2

// Manifest says what made a run. Its two halves differ in what a change means when a run is continued:
// one in Results is refused, one in Setup is only told.
type Manifest struct {
	Format int `json:"format"` // set by Open
	// Created is the date (YYYY-MM-DD) that templates were given. A run keeps its first date.
	Created  string   `json:"created"`
	Results  Results  `json:"results"`
	Setup    Setup    `json:"setup"`
	Measured Measured `json:"measured,omitzero"` // set by Measure
	// Before are the inputs and settings that Options.Redo replaced, the oldest first.
	Before []Results `json:"before,omitempty"`
}

// Results holds everything that the text of rows depends on. This is the one place that decides it: a field
// here is compared when a run is continued, a field elsewhere is not. So every field has the key tag "run" (package digest).
type Results struct {
	ModelSHA256 string `json:"model_sha256" key:"run"`
	ModelSize   int64  `json:"model_size" key:"run"` // bytes
	// ServerModel is the name of the model that wrote, where a server did. There is no ModelSHA256 then.
	ServerModel string  `json:"server_model,omitempty" key:"run"`
	LoRASHA256  string  `json:"lora_sha256,omitempty" key:"run"` // of the adapter on it
	LoRAScale   float64 `json:"lora_scale,omitempty" key:"run"`
	// Responses names what made the first responses, where that was another run: the hash of its Results.
	Responses          string   `json:"responses,omitempty" key:"run"`
	TemplateSHA256     string   `json:"template_sha256,omitempty" key:"run"`
	Chat               string   `json:"chat" key:"run"` // the layout of conversations: template or plain
	ConstitutionSHA256 string   `json:"constitution_sha256" key:"run"`
	PromptsSHA256      string   `json:"prompts_sha256" key:"run"`
	Map                []string `json:"map,omitempty" key:"run"` // columns of fields, FIELD=COLUMN, sorted
	FromResponses      bool     `json:"from_responses" key:"run"`
	Preambles          int      `json:"preambles,omitempty" key:"run"`      // 0 is one
	NoFewShots         bool     `json:"no_few_shots,omitempty" key:"run"`   // the constitution's demonstrations were not shown
	Demonstrations     string   `json:"demonstrations,omitempty" key:"run"` // where else than before all turns they were shown
	Samples            int      `json:"samples,omitempty" key:"run"`        // rows of each prompt; 0 is one

	Mode       string `json:"mode" key:"run"` // faithful or append
	Revisions  int    `json:"revisions" key:"run"`
	NoCritique bool   `json:"no_critique,omitempty" key:"run"` // revisions are asked for without a critique
	System     string `json:"system,omitempty" key:"run"`
	Seed       uint64 `json:"seed,string" key:"run"`
	MaxTokens  int    `json:"max_tokens" key:"run"`       // of a turn
	Draw       string `json:"draw,omitempty" key:"run"`   // how principles were drawn, if not at random
	Revise     string `json:"revise,omitempty" key:"run"` // which drafts were revised, if not all
	Tries      int    `json:"tries,omitempty" key:"run"`  // of a round, while a turn was flagged; 0: flagged revisions were taken

	Temperature float64 `json:"temperature" key:"run"`
	TopK        int     `json:"top_k" key:"run"`
	TopP        float64 `json:"top_p" key:"run"`
	MinP        float64 `json:"min_p" key:"run"`

	// What critiques and revisions have of their own; nil or 0: as all turns.
	CritiqueTemperature *float64 `json:"critique_temperature,omitempty" key:"run"`
	CritiqueMaxTokens   int      `json:"critique_max_tokens,omitempty" key:"run"`
	RevisionTemperature *float64 `json:"revision_temperature,omitempty" key:"run"`
	RevisionMaxTokens   int      `json:"revision_max_tokens,omitempty" key:"run"`

	RepetitionPenalty float64  `json:"repetition_penalty,omitempty" key:"run"`
	FrequencyPenalty  float64  `json:"frequency_penalty,omitempty" key:"run"`
	PresencePenalty   float64  `json:"presence_penalty,omitempty" key:"run"`
	PenaltyWindow     int      `json:"penalty_window,omitempty" key:"run"`
	LogitBias         []string `json:"logit_bias,omitempty" key:"run"` // TOKEN=BIAS, as given
	GrammarSHA256     string   `json:"critique_grammar_sha256,omitempty" key:"run"`
	Quote             bool     `json:"quote,omitempty" key:"run"` // critiques quote their draft
	LogProbs          bool     `json:"logprobs,omitempty" key:"run"`

	Verdicts string `json:"verdicts,omitempty" key:"run"` // how single responses are judged: alone, or in the loop's conversation

	Gate Gate `json:"gate,omitzero" key:"run"` // the zero value means that there is no gate

	KVType        string `json:"kv_type" key:"run"`
	Deterministic bool   `json:"deterministic,omitempty" key:"run"`
}

// Gate is by what revisions are taken or refused (revise.Gate).
type Gate struct {
	On      bool    `json:"on" key:"run"`
	Tries   int     `json:"tries" key:"run"`
	Margin  float64 `json:"margin" key:"run"`
	Veto    float64 `json:"veto" key:"run"`
	MinMass float64 `json:"min_mass" key:"run"` // feedback.Settings
}

// Hash names what made a run: the SHA-256 of its Results, in hexadecimal digits.
func (r Results) Hash() (string, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

// Setup is recorded for people and for comparing speed. The text of rows does not depend on it, except for
// rounding: other kernels, on a GPU, in another layout or in another version of llama.cpp, round otherwise. So every field has
// the key tag "none".
type Setup struct {
	Amend    string `json:"amend" key:"none"`     // version
	LlamaCpp string `json:"llama_cpp" key:"none"` // version

	Model               string        `json:"model" key:"none"`             // path; a name where a server has it
	Server              string        `json:"server,omitempty" key:"none"`  // address of the server whose model wrote
	Architecture        string        `json:"architecture" key:"none"`      // general.architecture
	License             string        `json:"license,omitempty" key:"none"` // general.license
	Quantization        string        `json:"quantization,omitempty" key:"none"`
	TensorTypes         []string      `json:"tensor_types,omitempty" key:"none"` // most weights first
	LoRA                string        `json:"lora,omitempty" key:"none"`         // path of the adapter
	Constitution        string        `json:"constitution" key:"none"`           // name
	ConstitutionVersion string        `json:"constitution_version,omitempty" key:"none"`
	Principles          []string      `json:"principles,omitempty" key:"none"` // that the draw was narrowed to
	Template            string        `json:"template,omitempty" key:"none"`   // path, when it is not the model's own
	Prompts             prompts.Paths `json:"prompts" key:"none"`              // one is a text, as in older manifests
	Limit               int           `json:"limit,omitempty" key:"none"`      // rows to take from the prompts, 0 for all
	Rows                int           `json:"rows" key:"none"`                 // that the run takes from the prompts

	Threads        int     `json:"threads" key:"none"`
	Context        int     `json:"ctx" key:"none"`      // the most tokens that one row may hold
	Parallel       int     `json:"parallel" key:"none"` // rows alive at once
	KV             string  `json:"kv" key:"none"`       // unified or streams
	GPULayers      int     `json:"gpu_layers" key:"none"`
	FlashAttention bool    `json:"flash_attention" key:"none"` // off is off; on a GPU llama.cpp decides
	Machine        Machine `json:"machine" key:"none"`
}

// Machine is where a run was begun.
type Machine struct {
	CPU   string `json:"cpu" key:"none"`
	Cores int    `json:"cores" key:"none"`
	OS    string `json:"os" key:"none"`
	Arch  string `json:"arch" key:"none"`
}

// Measured is what was measured on this machine to choose settings: once, so
// that a run which is continued makes the same choices.
type Measured struct {
	// StepCosts say how many drafted tokens pay (engine.Calibrate).
	StepCosts []engine.StepCost `json:"step_costs,omitempty"`
	// TurnSeconds is how long a turn took in the last command that computed some, in the mean: rows run side by side, so
	// one alone takes longer.
	TurnSeconds float64 `json:"turn_seconds,omitempty"`
	// Attach says from which length on rows read the preamble without holding it, in runs of amend 0.2 and before. Now
	// the length is a constant.
	Attach *AttachCosts `json:"attach,omitempty"`
	// SelfTest is what the gate's judge made of known cases.
	SelfTest *selftest.Result `json:"self_test,omitempty"`
	// ReadingTest is what the critic made of known critiques.
	ReadingTest *selftest.VerdictResult `json:"reading_test,omitempty"`
	// CritiqueTest is what a critic's answers about its own critiques made of known responses, in runs that asked for that.
	CritiqueTest *selftest.VerdictResult `json:"critique_test,omitempty"`
	// VerdictTest is what its verdicts made of them.
	VerdictTest *selftest.VerdictResult `json:"verdict_test,omitempty"`
	// FitTest is what the critic made of the question which principles known responses break.
	FitTest *selftest.FitResult `json:"fit_test,omitempty"`
}

// AttachCosts is what decode steps of some rows took behind two preambles, one short, one longer, in seconds: rows
// holding copies of it, and reading it attached.
type AttachCosts struct {
	Rows     int        `json:"rows"`
	Tokens   [2]int     `json:"tokens"` // of the preambles
	Copied   [2]float64 `json:"copied_s"`
	Attached [2]float64 `json:"attached_s"`
}

// Worth is the shortest preamble that pays to be read in common: what is saved
// is taken to grow with its length as between the two that were measured.
func (c AttachCosts) Worth() int {
	at := [2]float64{float64(c.Tokens[0]), float64(c.Tokens[1])}
	saved := [2]float64{c.Copied[0] - c.Attached[0], c.Copied[1] - c.Attached[1]}
	grows := (saved[1] - saved[0]) / (at[1] - at[0])
	if grows <= 0 {
		if saved[1] > 0 {
			return 1
		}
		return math.MaxInt
	}
	return int(max(1, math.Ceil(at[0]-saved[0]/grows)))
}

// Change is a field that differs between a run and what it was to be continued with.
type Change struct {
	Field    string // as in manifest.json
	Old, New string // JSON
}

// String gives the change in one short line: hashes and long texts are cut down.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s → %s", c.Field, shorten(c.Old), shorten(c.New))
}

func shorten(value string) string {
	const most = 40
	if len(value) == 66 && strings.Trim(value, `"0123456789abcdef`) == "" { // a SHA-256
		return value[1:13] + "…"
	}
	if r := []rune(value); len(r) > most {
		return fmt.Sprintf("%s… (%d characters)", string(r[:16]), len(r))
	}
	return value
}

// ChangedError refuses to continue a run with inputs or settings that would alter its results.
type ChangedError struct {
	Dir     string
	Changes []Change // that alter results; at least one
	Setup   []Change // that do not, but may explain the others, as a path does its hash
}

// Error gives the differences and the remedy.
func (e *ChangedError) Error() string {
	return e.Differences() + "\ngive another directory for a new run, the old inputs and settings to continue this one, or have its rows done again (Options.Redo)"
}

// Differences gives every difference on a line of its own.
func (e *ChangedError) Differences() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was begun with other inputs or settings, and its rows would not fit these:", e.Dir)
	for _, c := range e.Changes {
		b.WriteString("\n  " + c.String())
	}
	if len(e.Setup) > 0 {
		b.WriteString("\nalso different, which alone would not matter:")
		for _, c := range e.Setup {
			b.WriteString("\n  " + c.String())
		}
	}
	return b.String()
}

// changes lists the fields that differ between two values of one struct type, in their order of declaration.
func changes(old, now any) []Change {
	var out []Change
	before, after := reflect.ValueOf(old), reflect.ValueOf(now)
	for i := range before.NumField() {
		name, _, _ := strings.Cut(before.Type().Field(i).Tag.Get("json"), ",")
		a, b := before.Field(i).Interface(), after.Field(i).Interface()
		if before.Field(i).Kind() == reflect.Struct {
			for _, c := range changes(a, b) {
				c.Field = name + "." + c.Field
				out = append(out, c)
			}
			continue
		}
		if a, b := inJSON(a), inJSON(b); a != b {
			out = append(out, Change{Field: name, Old: a, New: b})
		}
	}
	return out
}

func inJSON(v any) string {
	text, err := plainjson.Marshal(v)
	if err != nil {
		return fmt.Sprint(v) // a number that JSON has no form for, such as NaN
	}
	return string(text)
}
