package chat

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSplitThink(t *testing.T) {
	think := ThinkTags{"<think>", "</think>"}
	channel := ThinkTags{"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"}
	for name, c := range map[string]struct {
		text          string
		tags          ThinkTags
		open          bool
		think, answer string
	}{
		"no thinking":               {"Hello.", think, false, "", "Hello."},
		"thinking":                  {"<think>\nhm\n</think>\n\nHello.", think, false, "hm", "Hello."},
		"space before":              {"\n<think>hm</think>Hello.", think, false, "hm", "Hello."},
		"opened in the prompt":      {"hm</think>Hello.", think, true, "hm", "Hello."},
		"opened twice":              {"<think>hm</think>Hello.", think, true, "hm", "Hello."},
		"cut while thinking":        {"<think>hm, let me", think, false, "hm, let me", ""},
		"cut, opened in the prompt": {"hm, let me", think, true, "hm, let me", ""},
		"empty":                     {"<think>\n\n</think>\n\nHello.", think, false, "", "Hello."},
		"closed at once":            {"</think>Hello.", think, true, "", "Hello."},
		"empty, then again":         {"<think></think>\n<think>hm</think>Hello.", think, false, "hm", "Hello."},
		"answer about tags":         {"Use <think> and </think>.", think, false, "", "Use <think> and </think>."},
		"tags after the answer":     {"<think>hm</think>Say </think> <think>.", think, false, "hm", "Say </think> <think>."},
		"no text":                   {"", think, false, "", ""},
		"leading space is kept":     {"  Hello.", think, false, "", "  Hello."},
		"channels":                  {"<|channel|>analysis<|message|>hm<|channel|>final<|message|>Hello.", channel, false, "hm", "Hello."},
		"final channel only":        {"<|channel|>final<|message|>Hello.", channel, false, "", "Hello."},
	} {
		t.Run(name, func(t *testing.T) {
			th, an, at := SplitThink(c.text, c.tags, c.open)
			if th != c.think || an != c.answer || c.text[at:] != an {
				t.Errorf("SplitThink(%q) = %q, %q, %d; want %q, %q", c.text, th, an, at, c.think, c.answer)
			}
		})
	}
}

// The answer is always the end of the text, and splitting an answer that does not begin with a tag changes nothing.
func TestSplitThinkProperties(t *testing.T) {
	piece := rapid.SampledFrom([]string{"<think>", "</think>", " ", "\n", "word", "<", "ж"})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(piece).Draw(t, "text"), "")
		open := rapid.Bool().Draw(t, "open")
		think, answer, at := SplitThink(text, commonThinkTags, open)
		if at < 0 || at > len(text) || text[at:] != answer {
			t.Fatalf("answer %q is not text[%d:]", answer, at)
		}
		if strings.Contains(think, commonThinkTags.Close) {
			t.Fatalf("the closing tag is in the thinking %q", think)
		}
		if th, an, n := SplitThink(answer, commonThinkTags, false); th != "" || an != answer || n != 0 {
			t.Fatalf("the answer %q splits again: %q, %q, %d", answer, th, an, n)
		}
	})
}

func TestPromptOpensThink(t *testing.T) {
	for prompt, want := range map[string]bool{
		"<|im_start|>assistant\n<think>\n":           true,
		"<|im_start|>assistant\n<think>":             true,
		"<|im_start|>assistant\n<think></think>":     false,
		"<|im_start|>assistant\n<think>\n\n</think>": false,
		"<|im_start|>assistant\n":                    false,
		"":                                           false,
	} {
		if got := PromptOpensThink(prompt, commonThinkTags); got != want {
			t.Errorf("PromptOpensThink(%q) = %v", prompt, got)
		}
	}
}

// templateSource reads a template of the pinned llama.cpp tree. This package is tested from a bare checkout too, without
// C (CGO_ENABLED=0 go test): where nothing was fetched the test is skipped. make test has fetched it.
func templateSource(t *testing.T, name string) string {
	t.Helper()
	const dir = "../../third_party/llama.cpp/models/templates"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("third_party/llama.cpp is not fetched: make build does it")
	}
	src, err := os.ReadFile(filepath.Join(dir, name+".jinja"))
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

func TestFamilies(t *testing.T) {
	type vars = map[string]any
	for name, c := range map[string]struct {
		open string
		off  vars
	}{
		"Qwen-Qwen3-0.6B":                             {"<think>", vars{"enable_thinking": false}},
		"HuggingFaceTB-SmolLM3-3B":                    {"<think>", vars{"enable_thinking": false}},
		"GLM-4.6":                                     {"<think>", vars{"enable_thinking": false}},
		"deepseek-ai-DeepSeek-V3.1":                   {"<think>", vars{"enable_thinking": false, "thinking": false}},
		"ibm-granite-granite-3.3-2B-Instruct":         {"<think>", vars{"thinking": false}},
		"Kimi-K3":                                     {"<|open|>think<|sep|>", vars{"thinking": false}},
		"ByteDance-Seed-OSS":                          {"<seed:think>", vars{"thinking_budget": 0}},
		"MiniMax-M3":                                  {"<mm:think>", vars{"thinking_mode": "disabled"}},
		"Cohere2MoE":                                  {"<|START_THINKING|>", vars{"reasoning": false}},
		"tencent-Hy3":                                 {"<think:opensource>", vars{"reasoning_effort": "no_think"}},
		"upstage-Solar-Open-100B":                     {"<|think|>", vars{"reasoning_effort": "minimal"}},
		"openai-gpt-oss-120b":                         {"<|channel|>analysis<|message|>", vars{"reasoning_effort": "low"}},
		"google-gemma-4-31B-it":                       {"<|channel>thought\n", vars{"enable_thinking": false}},
		"mistralai-Ministral-3-14B-Reasoning-2512":    {"[THINK]", nil},
		"Apertus-8B-Instruct":                         {"<|inner_prefix|>", vars{"enable_thinking": false}},
		"Apriel-1.6-15b-Thinker-fixed":                {"Here are my reasoning steps:", nil},
		"deepseek-ai-DeepSeek-R1-Distill-Llama-8B":    {"<think>", nil},
		"meta-llama-Llama-3.2-3B-Instruct":            {"", nil},
		"mistralai-Mistral-Nemo-Instruct-2407":        {"", nil},
		"google-gemma-2-2b-it":                        {"", nil},
		"CohereForAI-c4ai-command-r-plus-tool_use":    {"", nil},
		"NousResearch-Hermes-3-Llama-3.1-8B-tool_use": {"", nil},
		"unsloth-mistral-Devstral-Small-2507":         {"", nil},
		"Qwen-Qwen2.5-7B-Instruct":                    {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			src := templateSource(t, name)
			tags, known := TagsFor(src)
			if known != (c.open != "") || known && tags.Open != c.open {
				t.Errorf("tags %q, %v; want %q", tags, known, c.open)
			}
			if off := ThinkingOff(src); !maps.Equal(off, c.off) {
				t.Errorf("ThinkingOff = %v; want %v", off, c.off)
			}
		})
	}
}
