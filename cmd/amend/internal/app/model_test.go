package app

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/cmd/amend/internal/modeltest"
)

// tinyModel writes a model of random weights with the vocabulary of modeltest.Home.
func tinyModel(t *testing.T, out string) {
	t.Helper()
	c := DefaultSynthConfig()
	c.Shape, c.Tokenizer, c.Out = "tiny", "vocab", out
	if _, err := Synthesize(t.Context(), quiet(), c); err != nil {
		t.Fatal(err)
	}
}

func TestModelRefusals(t *testing.T) {
	dir := modeltest.Home(t)
	tiny := filepath.Join(dir, "tiny.gguf")
	tinyModel(t, tiny)
	inspect := func(name string) error {
		_, err := InspectModel(t.Context(), name, false)
		return err
	}
	synth := func(shape, tokenizer, quant, out string) error {
		_, err := Synthesize(t.Context(), quiet(), SynthConfig{Shape: shape, Tokenizer: tokenizer, Quant: quant, Out: out})
		return err
	}
	quantize := func(model, kind, out string, threads int) error {
		_, err := Quantize(t.Context(), quiet(), QuantizeConfig{Model: model, Type: kind, Out: out, Threads: threads})
		return err
	}
	_, differs := VerifyModel(t.Context(), "tiny", strings.Repeat("0", 64))
	for want, err := range map[string]error{
		"`make models` fetches it":               inspect("smollm2"),
		"nearest are tiny":                       inspect("tinny"),
		"must be one of tiny":                    synth("huge", "vocab", "Q4_0", "x"),
		"tiny.gguf exists; force replaces it":    synth("tiny", "vocab", "Q4_0", tiny),
		`quantization "Q3" must be`:              synth("tiny", "vocab", "Q3", "x"),
		"tokenizer: model":                       synth("tiny", "absent", "Q4_0", "x"),
		"tokenizer is missing":                   synth("tiny", "", "Q4_0", "x"),
		"but must be " + strings.Repeat("0", 64): differs,
		"holds a vocabulary and no weights":      quantize("vocab", "Q4_0", "x", 0),
		`quantization "Q7" must be`:              quantize("tiny", "Q7", "x", 0),
		"exists; force":                          quantize("tiny", "Q4_0", tiny, 0),
		"threads -1: must be from 0":             quantize("tiny", "Q4_0", "x", -1),
	} {
		if err == nil || !IsInput(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestQuantize(t *testing.T) {
	dir := modeltest.Home(t)
	tinyModel(t, filepath.Join(dir, "tiny.gguf"))
	out := filepath.Join(dir, "again.gguf")
	copies := func(_ context.Context, in, out, _ string, _ int) error {
		text, err := os.ReadFile(in)
		return errors.Join(err, os.WriteFile(out, text, 0o600))
	}
	made, err := quantize(t.Context(), quiet(), QuantizeConfig{Model: "tiny", Type: "q4_k", Out: out}, copies)
	if err != nil || made.Type.String() != "Q4_K_M" || made.After.Path != out || made.After.SizeBytes != made.Before.SizeBytes {
		t.Errorf("%v, %+v", err, made)
	}
}

// A quantizer that fails half-way, or writes rubbish, must leave neither a file nor a changed one.
func TestQuantizePublishesOnlyWhatIsSound(t *testing.T) {
	dir := modeltest.Home(t)
	tiny, out := filepath.Join(dir, "tiny.gguf"), filepath.Join(dir, "out", "q.gguf")
	if err := os.Mkdir(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	tinyModel(t, tiny)
	c := QuantizeConfig{Model: "tiny", Type: "q4_k", Threads: 3, Out: out}
	for name, fail := range map[string]error{"a failure": errors.New("no"), "rubbish": nil} {
		_, err := quantize(t.Context(), quiet(), c, func(_ context.Context, in, made, fileType string, threads int) error {
			if in != tiny || fileType != "Q4_K_M" || threads != 3 {
				t.Errorf("asked for %s as %s with %d threads", in, fileType, threads)
			}
			return errors.Join(os.WriteFile(made, []byte("GGUF"), 0o600), fail)
		})
		if err == nil {
			t.Errorf("%s passes", name)
		}
		if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", name, left, err)
		}
	}
}
