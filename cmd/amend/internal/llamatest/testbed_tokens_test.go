package llamatest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/models/testbed"
)

// TestTestbedTokens: the engine makes of a conversation the token ids that the testbed model was trained on.
// scripts/testbed/tokens.py wrote them, with the tokenizer and the layout of training.
func TestTestbedTokens(t *testing.T) {
	format := openModel(t, testbed.Name).Format()
	data, err := os.ReadFile(filepath.Join(testbedDir, "tokens.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range bytes.Lines(data) {
		var row struct {
			Messages []struct {
				Role    chat.Role
				Content string
			}
			IDs []engine.Token
		}
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		var msgs []chat.Message
		for _, m := range row.Messages {
			msgs = append(msgs, chat.Message{Role: m.Role, Text: m.Content})
		}
		c, err := format.Open(t.Context(), msgs)
		if err != nil {
			t.Fatal(err)
		}
		if rows++; !slices.Equal(c.Tokens, row.IDs) {
			t.Errorf("%+v:\n engine   %v\n training %v", row.Messages, c.Tokens, row.IDs)
		}
	}
	if rows < 50 {
		t.Errorf("only %d conversations", rows)
	}
}
