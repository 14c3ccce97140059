package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"amend/models"
)

var updateModel = flag.Bool("update-model", false, "rewrite the golden files of `amend model`")

// modelHome makes a machine with one vocabulary in AMEND_MODELS, which is also the directory for results.
func modelHome(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("AMEND_MODELS", dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	t.Setenv("HF_HOME", "")
	t.Setenv("HF_HUB_CACHE", "")
	tokens, types := []string{}, []int32{}
	for i := range 300 {
		tokens, types = append(tokens, fmt.Sprintf("t%d", i)), append(types, 1)
	}
	f, err := os.Create(filepath.Join(dir, "vocab.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := models.NewWriter(f, []models.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "tokenizer.ggml.model", Value: "gpt2"},
		{Key: "tokenizer.ggml.tokens", Value: tokens},
		{Key: "tokenizer.ggml.token_type", Value: types},
		{Key: "tokenizer.chat_template", Value: "{{ messages }}"},
	}, nil)
	if err := errors.Join(err, w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// amendModel runs `amend model` with a quantizer that copies.
func amendModel(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return amendModelWith(t, func(_ context.Context, in, out, _ string, _ int) error {
		data, err := os.ReadFile(in)
		return errors.Join(err, os.WriteFile(out, data, 0o600))
	}, args...)
}

func amendModelWith(t *testing.T, quantize quantizeFunc, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := newModelCommand(quantize)
	cmd.SetArgs(args)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SilenceUsage, cmd.SilenceErrors = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.String(), errs.String(), err
}

var timing = regexp.MustCompile(`in [0-9.]+ s \([0-9]+ MB/s\)|"wall_s": [0-9.]+`)

// golden compares with a file, directories and times masked.
func modelGolden(t *testing.T, name, dir, got string) {
	t.Helper()
	got = timing.ReplaceAllString(strings.ReplaceAll(got, dir, "$DIR"), "TIME")
	path := filepath.Join("testdata", "model", name)
	if *updateModel {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestModelCommands(t *testing.T) {
	dir := modelHome(t)
	tiny := filepath.Join(dir, "tiny.gguf")
	if err := os.WriteFile(filepath.Join(dir, "broken.gguf"), []byte("GGUF\x09\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		golden string
		args   []string
	}{
		{"synth.txt", []string{"synth", "--shape", "tiny", "--tokenizer", "vocab", "--quant", "Q4_K_M", "--out", tiny}},
		{"synth.json", []string{"synth", "--shape", "2,64,128,4,2", "--tokenizer", "vocab", "--quant", "q8_0", "--seed", "7", "--out", filepath.Join(dir, "q8.gguf"), "--json"}},
		{"ls.txt", []string{"ls"}},
		{"ls.json", []string{"ls", "--json"}},
		{"inspect.txt", []string{"inspect", "tiny"}},
		{"inspect.json", []string{"inspect", tiny, "--json"}},
		{"inspect-vocab.txt", []string{"inspect", "vocab", "--no-sha256"}},
		{"verify.txt", []string{"verify", "q8"}},
		{"verify.json", []string{"verify", tiny, "--json", "--sha256", ""}},
		{"quantize.txt", []string{"quantize", "tiny", "--type", "q4_0", "--out", filepath.Join(dir, "again.gguf")}},
	} {
		stdout, stderr, err := amendModel(t, step.args...)
		if err != nil {
			t.Fatalf("%v: %v", step.args, err)
		}
		if strings.HasSuffix(step.golden, ".json") {
			var object map[string]any
			if err := json.Unmarshal([]byte(stdout), &object); err != nil {
				t.Errorf("%v does not print one JSON object: %v", step.args, err)
			}
		}
		modelGolden(t, step.golden, dir, stdout+"--- stderr\n"+stderr)
	}
}

func TestModelCommandsRefuse(t *testing.T) {
	dir := modelHome(t)
	tiny := filepath.Join(dir, "tiny.gguf")
	if _, _, err := amendModel(t, "synth", "--shape", "tiny", "--tokenizer", "vocab", "--out", tiny); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"`make models` fetches it":               {"inspect", "smollm2"},
		"nearest are tiny":                       {"inspect", "tinny"},
		"must be one of tiny":                    {"synth", "--shape", "huge", "--tokenizer", "vocab", "--out", "x"},
		"tiny.gguf exists":                       {"synth", "--shape", "tiny", "--tokenizer", "vocab", "--out", tiny},
		`quantization "Q3" must be`:              {"synth", "--shape", "tiny", "--tokenizer", "vocab", "--quant", "Q3", "--out", "x"},
		"tokenizer: model":                       {"synth", "--shape", "tiny", "--tokenizer", "absent", "--out", "x"},
		"but must be " + strings.Repeat("0", 64): {"verify", "tiny", "--sha256", strings.Repeat("0", 64)},
		"holds a vocabulary and no weights":      {"quantize", "vocab", "--type", "Q4_0", "--out", "x"},
		`quantization "Q7" must be`:              {"quantize", "tiny", "--type", "Q7", "--out", "x"},
		"--force replaces it":                    {"quantize", "tiny", "--type", "Q4_0", "--out", tiny},
		"--threads is -1":                        {"quantize", "tiny", "--type", "Q4_0", "--out", "x", "--threads", "-1"},
	} {
		stdout, _, err := amendModel(t, args...)
		if exitCode(err) != exitUsage || !strings.Contains(err.Error(), want) || stdout != "" {
			t.Errorf("%v: %v, stdout %q", args, err, stdout)
		}
	}
}

// A quantizer that fails half-way, or writes rubbish, must leave neither a file nor a changed one.
func TestModelQuantizePublishesOnlyWhatIsSound(t *testing.T) {
	dir := modelHome(t)
	tiny, out := filepath.Join(dir, "tiny.gguf"), filepath.Join(dir, "out", "q.gguf")
	if err := os.Mkdir(filepath.Dir(out), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, err := amendModel(t, "synth", "--shape", "tiny", "--tokenizer", "vocab", "--out", tiny); err != nil {
		t.Fatal(err)
	}
	for name, fail := range map[string]error{"a failure": errors.New("no"), "rubbish": nil} {
		_, _, err := amendModelWith(t, func(_ context.Context, in, made, ftype string, threads int) error {
			if in != tiny || ftype != "Q4_K_M" || threads != 3 {
				t.Errorf("asked for %s as %s with %d threads", in, ftype, threads)
			}
			return errors.Join(os.WriteFile(made, []byte("GGUF"), 0o600), fail)
		}, "quantize", "tiny", "--type", "q4_k", "--threads", "3", "--out", out)
		if err == nil {
			t.Errorf("%s passes", name)
		}
		if left, err := os.ReadDir(filepath.Dir(out)); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v, %v", name, left, err)
		}
	}
}
