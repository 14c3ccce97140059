package prompts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/engine/chat"
	"amend/engine/enginetest/need"
	"amend/engine/feedback"
)

func readPairs(t *testing.T, text string) *Pairs {
	t.Helper()
	set, err := ReadPairs(Paths{"-"}, strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestPairs: the forms that preference sets have.
func TestPairs(t *testing.T) {
	for name, line := range map[string]string{
		"hh-rlhf":          `{"chosen": "\n\nHuman: why?\n\nAssistant: good", "rejected": "\n\nHuman: why?\n\nAssistant: bad"}`,
		"hhh":              `{"prompt": "\n\nConsider this. Options", "corrects": [" (B)"], "text_correct": "\n\nHuman: why?\n\nAssistant: good", "text_incorrect": "\n\nHuman: why?\n\nAssistant: bad"}`,
		"trl, texts":       `{"prompt": "why?", "chosen": "good", "rejected": "bad"}`,
		"trl, messages":    `{"prompt": [{"role": "user", "content": "why?"}], "chosen": [{"role": "assistant", "content": "good"}], "rejected": [{"role": "assistant", "content": "bad"}]}`,
		"trl, reward":      `{"chosen": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "good"}], "rejected": [{"role": "user", "content": "why?"}, {"role": "assistant", "content": "bad"}]}`,
		"whole beside all": `{"prompt": "why?", "chosen": "\n\nHuman: why?\n\nAssistant: good", "rejected": "\n\nHuman: why?\n\nAssistant: bad"}`,
	} {
		set := readPairs(t, line)
		if len(set.Pairs) != 1 {
			t.Errorf("%s: %v", name, set.Bad)
			continue
		}
		p := set.Pairs[0]
		if p.First != "good" || p.Second != "bad" || p.Better != feedback.First || len(p.Messages) != 1 || p.Messages[0].Text != "why?" || p.Messages[0].Role != chat.User {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

// TestBadPairs: what cannot be judged says why, and the rest is read.
func TestBadPairs(t *testing.T) {
	set := readPairs(t, strings.Join([]string{
		`{"chosen": "good", "rejected": "bad"}`,
		`{"chosen": "\n\nHuman: why?\n\nAssistant: good", "rejected": "\n\nHuman: what?\n\nAssistant: bad"}`,
		`{"prompt": "why?", "chosen": "good", "rejected": "good"}`,
		`{"prompt": "why?", "chosen": "good"}`,
		`{"prompt": "why?"}`,
		`{"chosen": "\n\nHuman: why?\n\nAssistant:", "rejected": "\n\nHuman: why?\n\nAssistant: bad"}`,
		`{"prompt": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "chosen": "good", "rejected": "bad"}`,
		`{"id": "x", "tags": ["law"], "prompt": "why?", "chosen": "good", "rejected": "bad"}`,
		`{"id": "x", "prompt": "why?", "chosen": "good", "rejected": "worse"}`,
	}, "\n"))
	if len(set.Pairs) != 1 || set.Pairs[0].ID != "x" || set.Pairs[0].Attributes.Tags[0] != "law" {
		t.Errorf("%+v", set.Pairs)
	}
	for i, want := range []string{
		"without its conversation", "different conversations", "the same response", "rejected: missing", "neither chosen and rejected",
		"last assistant turn is missing", "ends with the assistant's turn", "already the id of line 8",
	} {
		if i >= len(set.Bad) || !strings.Contains(set.Bad[i].Reason, want) {
			t.Errorf("line %d: %v, want %q", i+1, set.Bad, want)
		}
	}
	if _, err := ReadPairs(Paths{"-"}, strings.NewReader("plain text\n"), Options{}); err != nil {
		t.Errorf("a bad line is no error: %v", err)
	}
}

// TestRealPairs reads the real preference sets, where they are.
func TestRealPairs(t *testing.T) {
	for file, want := range map[string]int{"hh-rlhf-harmless-test-a.jsonl.gz": 1156, "hhh-comparisons-a.jsonl.gz": 219} {
		path := filepath.Join("..", "..", "..", "shared", "data", file)
		if _, err := os.Stat(path); err != nil {
			need.Unmet(t, need.Data, "the real inputs are not here")
		}
		set, err := ReadPairs(Paths{path}, nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(set.Pairs)+len(set.Bad) != want || len(set.Bad) > want/20 {
			t.Errorf("%s: %d pairs, and %d bad lines, the first %v", file, len(set.Pairs), len(set.Bad), set.Bad)
		}
	}
}
