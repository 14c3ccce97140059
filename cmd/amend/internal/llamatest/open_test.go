package llamatest

import (
	"log/slog"
	"testing"

	"amend/cmd/amend/internal/runner"
)

// TestChecksum: a model that is opened has the checksum of its file, and one that is only loaded has none.
func TestChecksum(t *testing.T) {
	const name = "smollm2"
	file, err := runner.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := file.SHA256(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := openModel(t, name).SHA256(); got != want {
		t.Errorf("the model that was opened has checksum %q, its file %q", got, want)
	}
	loaded, err := runner.Load(t.Context(), name, runner.DefaultCompute(), runner.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, loaded.Close)
	if got := loaded.SHA256(); got != "" {
		t.Errorf("the model that was loaded has checksum %s", got)
	}
}
