package app

import (
	"errors"
	"os"
	"strings"
	"testing"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
)

func TestTokensOfAnExportedSet(t *testing.T) {
	oldRuns(t)
	set := DefaultExportConfig()
	set.Run, set.Out, set.Hygiene = "plain", "set", false
	if _, err := Export(t.Context(), quiet(), set); err != nil {
		t.Fatal(err)
	}
	c := TokensConfig{Model: "testbed", Set: "set", Chat: runner.ChatPlain} // which needs no process for templates
	var out strings.Builder
	if err := Tokens(t.Context(), quiet(), c, &out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), `"prompt_ids":[`); n != 3 || strings.Count(out.String(), `"completion_ids":[`) != n {
		t.Errorf("got\n%s", &out)
	}
}

func TestTokensRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"text": "How?", "bare": `{"id": "b", "prompt": [{"role": "user", "content": "Hi"}]}`,
		"long": `{"id": "l", "prompt": [{"role": "user", "content": "Hi"}], "completion": [{"role": "user", "content": "Ho"}]}`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for set, want := range map[string]string{
		"text": "text: row 1", "bare": "row 1 (b): it has neither messages", "long": "must be one message of the assistant's",
		"nowhere": "nowhere", ".": "has no data/train-*.jsonl", "": "set is missing",
	} {
		err := Tokens(t.Context(), quiet(), TokensConfig{Model: "testbed", Set: set, Chat: runner.ChatPlain}, &strings.Builder{})
		if err == nil || !IsInput(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", set, err, want)
		}
	}
	full := errors.New("the disk is full")
	if err := os.WriteFile("one", []byte(`{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Tokens(t.Context(), quiet(), TokensConfig{Model: "testbed", Set: "one", Chat: runner.ChatPlain}, failing{full})
	var input *failure.InputError
	if !errors.Is(err, full) || errors.As(err, &input) {
		t.Errorf("a full disk: %v", err)
	}
}

// failing is a writer that cannot write.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
