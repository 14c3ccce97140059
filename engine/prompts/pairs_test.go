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

// TestPairShapes: a pair of each shape, and its relatives.
func TestPairShapes(t *testing.T) {
	better := []string{"u:a → b > c"}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"Alpaca", `{"instruction": "a", "input": "", "chosen": "b", "rejected": "c"}`, better},
		{"distilabel", `{"instruction": "a", "chosen_response": "b", "rejected_response": "c"}`, better},
		{"OpenAI preference", `{"input": {"messages": [{"role": "user", "content": "a"}], "tools": []}, "preferred_output": [{"role": "assistant", "content": "b"}], "non_preferred_output": [{"role": "assistant", "content": "c"}]}`, better},
		{"PKU-SafeRLHF", `{"prompt": "a", "response_0": "c", "response_1": "b", "better_response_id": 1, "safer_response_id": 0}`, better},
		{"Chatbot Arena", `{"conversation_a": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}], "conversation_b": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "winner": "model_b"}` + "\n" +
			`{"conversation_a": [], "conversation_b": [], "winner": "tie (bothbad)"}`, append(better, "2! neither answer is the better one")},
		{"Arena, answers", `{"prompt": "a", "response_a": "c", "response_b": "b", "winner": "model_b"}`, better},
		{"SHP", `{"history": "a", "human_ref_A": "c", "human_ref_B": "b", "labels": 0}`, better},
		{"HHH of Hugging Face", `{"input": "a", "targets": {"choices": ["b", "c"], "labels": [1, 0]}}`, better},
		{"BIG-bench", `{"examples": [{"input": "a", "target_scores": {"c": 0, "b": 1}}, {"input": "a", "target_scores": {"c": 0, "b": 1, "d": 0}}]}`, append(better, "1! 3 answers, want two")},
		{"messages that end with chosen", `{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "chosen": "b", "rejected": "c"}`, better},
		{"one turn each", `{"prompt": "a", "chosen": {"role": "assistant", "content": "b"}, "rejected": {"role": "assistant", "content": "c"}}`, better},
		{"Stack Exchange", `{"question": "a", "response_j": "b", "response_k": "c"}`, better},
		{"CSV", "prompt,chosen,rejected\na,\"[{\"\"role\"\": \"\"user\"\", \"\"content\"\": \"\"a\"\"}, {\"\"role\"\": \"\"assistant\"\", \"\"content\"\": \"\"b\"\"}]\",c\na,\"[{'role': 'assistant', 'content': 'b'}]\",c\n", append(better, "3! json.dumps")},
		{"KTO", `{"prompt": "a", "completion": "b", "label": true}`, []string{"1! label may say which answer is better, in a way that is not read: write the better one as chosen"}},
		{"winner in two columns", `{"prompt": "a", "response_a": "b", "response_b": "c", "winner_model_a": 1, "winner_model_b": 0}`, []string{"1! winner_model_a may say"}},
		{"HelpSteer 3", `{"context": "a", "response1": "b", "response2": "c", "overall_preference": -1}`, []string{"1! overall_preference may say"}},
		{"PKU in a table", "prompt,response_0,response_1,better_response_id\na,c,b,1\na,b,c,0.0\n", []string{better[0], better[0]}},
		{"a label that is true", `{"history": "a", "human_ref_A": "b", "human_ref_B": "c", "labels": true}`, better},
		{"another winner", `{"prompt": "a", "response_a": "b", "response_b": "c", "winner": "A"}`, []string{`1! winner: "A" is neither model_a nor model_b`}},
		{"points", `{"input": "a", "target_scores": {"b": 0.7, "c": 0.3}}` + "\n" + `{"input": "a", "target_scores": {"b": 1.0, "c": 0.0}}`, []string{better[0], "1! the answers have 0.7 and 0.3 points"}},
		{"chosen alone", `{"chosen": "b", "rejected": "c"}`, []string{"1! no prompt or messages beside it"}},
		{"dialogues", `{"prompt": "a", "chosen": "User: x\nAssistant: y", "rejected": "User: x\nAssistant: z"}`, []string{"u:a → User: x\nAssistant: y > User: x\nAssistant: z"}},
		{"dialogues that begin with the prompt", `{"prompt": "Human: a\nAssistant:", "chosen": "Human: a\nAssistant: b", "rejected": "Human: a\nAssistant: c"}`, better},
		{"dialogue and refusal", `{"instruction": "a", "chosen": "Human: x\nAssistant: y", "rejected": "No."}`, []string{"u:a → Human: x\nAssistant: y > No."}},
		{"lists in cells", "prompt,chosen,rejected\na,\"['b']\",c\n", []string{"2! chosen: a list in a text"}},
		{"transcripts by line", `{"chosen": "Human: a\nAssistant: b", "rejected": "Human: a\nAssistant: c"}`, better},
	} {
		set, err := ReadPairs(Paths{"-"}, strings.NewReader(c.text), Options{})
		if set == nil {
			set = &Pairs{}
		}
		compare(t, c.name, showPairs(set), err, c.want)
	}
}
