package llamatest

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"amend/engine"
	"amend/engine/chat"
)

var (
	setIn  = flag.String("set.in", "", "a training set of format sft, for scripts/check-trl")
	setIDs = flag.String("set.ids", "", "file to write the token ids of its rows to")
)

// TestSetTokens writes what amend makes of a training set's rows with SmolLM2's template, for scripts/check-trl to compare.
func TestSetTokens(t *testing.T) {
	if *setIn == "" {
		t.Skip("scripts/check-trl runs it")
	}
	m := openModel(t, "smollm2")
	f, err := os.Open(filepath.Join(*setIn, "data", "train-00000-of-00001.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, f.Close)
	type ids struct {
		Prompt []engine.Token `json:"prompt"`
		Answer []engine.Token `json:"answer"`
	}
	var out []ids
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var row struct {
			Messages []chat.Message
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		last := len(row.Messages) - 1
		c, err := m.Format().Open(t.Context(), row.Messages[:last])
		if err != nil {
			t.Fatal(err)
		}
		answer, err := m.Vocab().Tokenize(row.Messages[last].Text, false, false)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, ids{c.Tokens, answer})
	}
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*setIDs, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
