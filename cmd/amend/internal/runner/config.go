package runner

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/engine/llama"
)

// ComputeConfig says how a model computes and how conversations are written for it. For the key tags see package digest.
type ComputeConfig struct {
	Chat     string `yaml:"chat" key:"run"`     // ChatTemplate or ChatPlain
	Template string `yaml:"template" key:"run"` // path of a file with the template to use in place of the model's
	// Context is the most tokens that a row may hold; 0: what the rows can need. A row that does not fit fails, no other
	// row changes.
	Context int `yaml:"ctx" key:"none"`
	// Threads and GPULayers round otherwise and say the same: 0 threads are one for each core, −1 layers are all.
	Threads   int `yaml:"threads" key:"none"`
	GPULayers int `yaml:"gpu-layers" key:"none"`
	// Deterministic makes bits independent of what runs beside a row.
	Deterministic bool `yaml:"deterministic" key:"run"`
}

// ContextConfig says how rows share a context. No result depends on how many do, and in which layout.
type ContextConfig struct {
	Parallel int    `yaml:"parallel" key:"none"` // rows alive at once; 0: by memory
	KV       Layout `yaml:"kv" key:"none"`       // of sequences in the KV cache
	// KVType is the type of cached keys (KVTypes): quantized ones change logits.
	KVType        string `yaml:"kv-type" key:"run"`
	PreambleCache string `yaml:"preamble-cache" key:"none"` // folder for computed preambles; empty: none
}

// The ways to write conversations.
const (
	ChatTemplate = "template" // the model's own
	ChatPlain    = "plain"    // Human: and Assistant:, for base models
)

// MostThreads is the highest number of threads.
const MostThreads = 512

// MostTokens is the highest value of settings that count tokens.
const MostTokens = 1 << 24

// DefaultCompute computes by the model's own template, on all cores and any GPU.
func DefaultCompute() ComputeConfig { return ComputeConfig{Chat: ChatTemplate, GPULayers: -1} }

// DefaultContext chooses everything by the model and the machine.
func DefaultContext() ContextConfig { return ContextConfig{KV: Auto, KVType: KVAuto} }

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c ComputeConfig) Validate() error {
	err := errors.Join(
		failure.OneOf("chat", c.Chat, ChatTemplate, ChatPlain),
		failure.Range("ctx", c.Context, 0, MostTokens),
		failure.Range("threads", c.Threads, 0, MostThreads),
		failure.Range("gpu-layers", c.GPULayers, -1, MostTokens),
	)
	if c.Template != "" && c.Chat == ChatPlain {
		err = errors.Join(err, &failure.FieldError{Field: "template", Value: c.Template, Want: "chat plain has no template: give one of the two"})
	}
	return err
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c ContextConfig) Validate() error {
	return errors.Join(
		failure.Range("parallel", c.Parallel, 0, llama.MaxSequences()-1), // and one of a preamble
		failure.OneOf("kv", c.KV, Layouts()...),
		failure.OneOf("kv-type", c.KVType, KVTypes()...),
	)
}

// Adapter is a LoRA adapter with its scale. The zero value is none.
type Adapter struct {
	Path  string
	Scale float64
}

// ParseAdapter reads PATH or PATH=SCALE; what does not end in a number is a path. Without a scale it is 1.
func ParseAdapter(text string) Adapter {
	if text == "" {
		return Adapter{}
	}
	if i := strings.LastIndexByte(text, '='); i > 0 {
		if scale, err := strconv.ParseFloat(text[i+1:], 64); err == nil {
			return Adapter{Path: text[:i], Scale: scale}
		}
	}
	return Adapter{Path: text, Scale: 1}
}

// String is the adapter as ParseAdapter reads it.
func (a Adapter) String() string {
	if a.Path == "" || a.Scale == 1 {
		return a.Path
	}
	return fmt.Sprintf("%s=%v", a.Path, a.Scale)
}

// ValidateAdapter checks the scale that a setting gives an adapter.
func ValidateAdapter(field, text string) error {
	if a := ParseAdapter(text); !(math.Abs(a.Scale) <= math.MaxFloat32) { // also NaN
		return &failure.FieldError{Field: field, Value: text, Want: fmt.Sprintf("the scale must be a number from %.2g to %.2g", -math.MaxFloat32, math.MaxFloat32)}
	}
	return nil
}
