package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"amend/cmd/amend/internal/runner"
	"amend/models"
)

// HealthSpeed is how fast this machine computes with a type of weights: a small model of random weights, timed now.
type HealthSpeed struct {
	Type        string  `json:"type"`
	PrefillTokS float64 `json:"prefill_tok_s"`
	DecodeTokS  float64 `json:"decode_tok_s"`
	Note        string  `json:"note,omitempty"`
}

// measureTypes times prefill and decode of random weights of each type.
func measureTypes(ctx context.Context, caches models.Caches) (out []HealthSpeed, err error) {
	path, err := caches.Resolve("smollm2")
	if err != nil {
		return nil, fmt.Errorf("timing weights needs a model at hand for its vocabulary: %w", err)
	}
	tokenizer, err := models.Open(path)
	if err != nil {
		return nil, err
	}
	shape, err := models.ParseShape("smollm2-135m")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "amend-doctor-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for test models: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, quant := range []string{"Q4_0", "Q4_1", "Q4_K_M", "Q8_0", "F16"} {
		file := filepath.Join(dir, quant+".gguf")
		s, err := measureType(ctx, file, models.Spec{Shape: shape, Quant: quant, Seed: 1, Tokenizer: tokenizer})
		if err != nil {
			return nil, fmt.Errorf("timing %s: %w", quant, err)
		}
		out = append(out, s)
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measureType writes a model of random weights to a file and times it.
func measureType(ctx context.Context, file string, spec models.Spec) (HealthSpeed, error) {
	made, err := models.Synth(ctx, file, spec, true, nil)
	if err != nil {
		return HealthSpeed{}, err
	}
	s, err := runner.MeasureSpeed(ctx, file)
	if err != nil {
		return HealthSpeed{}, err
	}
	out := HealthSpeed{Type: spec.Quant, PrefillTokS: s.Prefill, DecodeTokS: s.Decode}
	if len(made.Fallbacks) > 0 {
		out.Note = "(rows of this shape do not divide into its blocks: partly another type)"
	}
	return out, nil
}
