package cli

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"amend/engine/digest"
	"amend/engine/llama"
	"amend/engine/runstore"
	"amend/models"
)

// baseKey is the metadata of an adapter's file that names its base model, by the SHA-256 of the GGUF that it was trained
// on. scripts/train writes it.
const baseKey = "amend.base.sha256"

// adapter is a LoRA adapter as a flag names it, PATH or PATH=SCALE, and once it is open what it is.
type adapter struct {
	path   string
	scale  float64
	sha    string
	loaded *llama.Adapter
}

// parseAdapter reads PATH[=SCALE]; what does not end in a number is a path.
func parseAdapter(flag string) adapter {
	if i := strings.LastIndexByte(flag, '='); i > 0 {
		if scale, err := strconv.ParseFloat(flag[i+1:], 64); err == nil {
			return adapter{path: flag[:i], scale: scale}
		}
	}
	return adapter{path: flag, scale: 1}
}

// checkScale checks the scale that a flag gives an adapter.
func checkScale(flag, value string) error {
	if a := parseAdapter(value); !(math.Abs(a.scale) <= math.MaxFloat32) { // also NaN
		return fmt.Errorf("%s %s: the scale must be a number from %.2g to %.2g", flag, value, -math.MaxFloat32, math.MaxFloat32)
	}
	return nil
}

// openAdapter loads the adapter that the session is to compute with, if any. One that was trained on another model is
// refused: llama.cpp compares shapes only.
func (s *session) openAdapter(ctx context.Context) error {
	if s.adapter.path == "" {
		return nil
	}
	a := &s.adapter
	file, err := models.Open(a.path)
	if err != nil {
		return usage(fmt.Errorf("opening the adapter: %w", err))
	}
	if a.sha, err = file.SHA256(ctx); err != nil {
		return err
	}
	if a.loaded, err = s.model.LoadAdapter(a.path); err != nil {
		return usage(fmt.Errorf("loading the adapter %s: %w", a.path, err))
	}
	s.closers = append(s.closers, a.loaded.Close)
	base, known := a.loaded.Meta(baseKey)
	switch {
	case !known:
		s.log.Warn("the adapter does not say which model it was trained on; only its shapes are known to fit", "adapter", a.path)
	case base != s.modelSHA:
		return usage(fmt.Errorf("%s was trained on another model, of sha256 %s: %s has %s", a.path, base, s.file.Path, s.modelSHA))
	}
	s.log.Info("with adapter", "path", a.path, "scale", a.scale)
	return nil
}

// criticAdapter is the adapter that a run had for all turns but first responses (--critic-lora): judgements are the critic's. Where
// another run made the responses it is the one in the manifest; else that one is for responses alone, and there is none.
func criticAdapter(m runstore.Manifest) adapter {
	if m.Results.Responses == "" {
		return adapter{}
	}
	return adapter{path: m.Setup.LoRA, scale: m.Results.LoRAScale}
}

// adapterScale is the adapter's scale, 0 where there is none.
func (s *session) adapterScale() float64 {
	if s.adapter.path == "" {
		return 0
	}
	return s.adapter.scale
}

// identity says which model computes, with cached keys of this type, once it is open.
func (s *session) identity(keyType string) digest.Model {
	return digest.Model{
		SHA256: s.modelSHA, AdapterSHA256: s.adapter.sha, AdapterScale: s.adapterScale(),
		Chat: s.flags.chat, TemplateSHA256: s.templateSHA, KeyType: keyType, Deterministic: s.flags.deterministic,
	}
}
