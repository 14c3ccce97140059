package prompts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Every text of a record is there, whatever the record is, and its conversation where it has one.
func TestReadTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "set.jsonl")
	lines := []string{
		`{"prompt": "Why?", "note": {"deep": ["reference"]}, "n": 3}`,
		`{"chosen": "\n\nHuman: How far?\n\nAssistant: Ten miles.", "rejected": "\n\nHuman: How far?\n\nAssistant: Go away."}`,
		`{"question": "Which?", "choices": ["this", "that"], "context": "One of two."}`,
		`not JSON`,
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTexts(Paths{path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Why?", "reference", "\n\nHuman: How far?\n\nAssistant: Go away.", "Which?", "this", "that", "One of two."} {
		if !slices.Contains(got.Texts, want) {
			t.Errorf("%q is not among %q", want, got.Texts)
		}
	}
	if len(got.Prompts) != 2 || got.Prompts[1][0].Text != "How far?" || len(got.Prompts[1]) != 1 {
		t.Errorf("prompts: %v", got.Prompts)
	}
	if got.Records != 3 || len(got.Bad) != 1 || got.Bad[0].Line != 4 || len(got.SHA256) != 64 {
		t.Errorf("%d records, bad %v, %s", got.Records, got.Bad, got.SHA256)
	}
	if _, err := ReadTexts(Paths{filepath.Join(t.TempDir(), "none.jsonl")}, nil); err == nil {
		t.Error("a file that is not there is read")
	}
}
