package render

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/modeltest"
	"amend/models"
)

// timing is what differs from run to run.
var timing = regexp.MustCompile(`in [0-9.]+ s \([0-9]+ MB/s\)|"wall_s": [0-9.]+`)

// synth writes a model of random weights with the vocabulary of modeltest.Home.
func synth(t *testing.T, c app.SynthConfig) app.Synthesized {
	t.Helper()
	c.Tokenizer = "vocab"
	made, err := app.Synthesize(t.Context(), app.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now}, c)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestModelGolden(t *testing.T) {
	dir := modeltest.Home(t)
	if err := os.WriteFile(filepath.Join(dir, "broken.gguf"), []byte("GGUF\x09\x00\x00\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	tiny := synth(t, app.SynthConfig{Shape: "tiny", Quant: "Q4_K_M", Seed: 1, Out: filepath.Join(dir, "tiny.gguf")})
	q8 := synth(t, app.SynthConfig{Shape: "2,64,128,4,2", Quant: "q8_0", Seed: 7, Out: filepath.Join(dir, "q8.gguf")})
	q4_0, err := models.ParseFileType("q4_0")
	if err != nil {
		t.Fatal(err)
	}
	inspect := func(name string, checksum bool) models.Info {
		info, err := app.InspectModel(t.Context(), name, checksum)
		return must(t, info, err)
	}
	verify := func(name string) models.Verdict {
		v, err := app.VerifyModel(t.Context(), name, "")
		return must(t, v, err)
	}
	for name, show := range map[string]func(w io.Writer) error{
		"synth.txt":         func(w io.Writer) error { return Synthesized(w, tiny) },
		"synth.json":        func(w io.Writer) error { return JSON(w, q8) },
		"fallbacks.txt":     func(w io.Writer) error { Fallbacks(w, tiny); return nil },
		"ls.txt":            func(w io.Writer) error { return Models(w, app.Models()) },
		"nomodel.txt":       func(w io.Writer) error { return NoModel(w, &app.NoModelError{Setting: "model", AtHand: app.Models()}) },
		"ls.json":           func(w io.Writer) error { return JSON(w, app.Models()) },
		"inspect.txt":       func(w io.Writer) error { return Model(w, inspect("tiny", true)) },
		"inspect.json":      func(w io.Writer) error { return JSON(w, inspect(tiny.Path, true)) },
		"inspect-vocab.txt": func(w io.Writer) error { return Model(w, inspect("vocab", false)) },
		"verify.txt":        func(w io.Writer) error { return ModelVerdict(w, verify("q8")) },
		"verify.json":       func(w io.Writer) error { return JSON(w, verify(tiny.Path)) },
		"quantize.txt": func(w io.Writer) error {
			again := inspect("tiny", false)
			again.Path = filepath.Join(dir, "again.gguf")
			return Quantized(w, app.Quantized{Type: q4_0, Before: inspect("tiny", false), After: again})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := show(&out); err != nil {
				t.Fatal(err)
			}
			var object map[string]any
			if strings.HasSuffix(name, ".json") && json.Unmarshal(out.Bytes(), &object) != nil {
				t.Error("not one JSON object")
			}
			golden(t, filepath.Join("model", name), timing.ReplaceAllString(strings.ReplaceAll(out.String(), dir, "$DIR"), "TIME"))
		})
	}
}

// must gives a value that came without an error.
func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestTenths(t *testing.T) {
	var out strings.Builder
	tell := Tenths(&out)
	for done := range 21 {
		tell(app.Progress{Of: 2e9, Done: done * 1e8})
	}
	if n := strings.Count(out.String(), "% of 2.00 GB\n"); n != 10 {
		t.Errorf("%d lines:\n%s", n, &out)
	}
	out.Reset()
	Tenths(&out)(app.Progress{Of: 10, Done: 10})
	if out.Len() > 0 {
		t.Errorf("a short job: %s", &out)
	}
}
