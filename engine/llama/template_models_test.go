package llama

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/engine/chat"
)

// Message contents in these tests stand between two private-use characters, which no template writes by itself.
func sentinel(i int) string { return fmt.Sprintf("\uE000%d\uE001", i) }

// modelTemplates is every template of real models in the pinned llama.cpp tree, by name.
func modelTemplates(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../third_party/llama.cpp/models/templates/*.jinja")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no templates in third_party/llama.cpp/models/templates: run make build, which fetches llama.cpp's source")
	}
	sources := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		source, err := chat.Source(text)
		if err != nil || source != string(text) {
			t.Fatalf("%s is not taken for Jinja: %v", f, err)
		}
		sources[strings.TrimSuffix(filepath.Base(f), ".jinja")] = source
	}
	return sources
}

// conversation alternates user and assistant for five turns, after a system message.
func conversation() []TemplateMessage {
	var msgs []TemplateMessage
	for i, role := range []string{"system", "user", "assistant", "user", "assistant", "user"} {
		msgs = append(msgs, TemplateMessage{Role: role, Content: sentinel(i)})
	}
	return msgs
}

// Every template renders each content of a conversation once, and in order. engine/chat finds the exceptions, and
// refuses them.
func TestModelTemplatesKeepContents(t *testing.T) {
	reordered := []string{"mistralai-Mistral-Nemo-Instruct-2407"} // writes the system message into the last user turn
	withoutSystem := []string{"google-gemma-2-2b-it"}             // raises an exception
	for name, source := range modelTemplates(t) {
		t.Run(name, func(t *testing.T) {
			tmpl := newTestTemplate(t, source, TemplateOptions{})
			msgs := conversation()
			if slices.Contains(withoutSystem, name) {
				_, err := tmpl.Render(t.Context(), msgs[:2], RenderOptions{AddGenerationPrompt: true})
				var refused *TemplateError
				if !errors.As(err, &refused) || !refused.Raised {
					t.Errorf("a system message: error %v", err)
				}
				msgs = msgs[1:]
			}
			for n := 1; n <= len(msgs); n++ {
				if msgs[n-1].Role != "user" {
					continue // conversations end with a user, as each turn is asked for
				}
				text, err := tmpl.Render(t.Context(), msgs[:n], RenderOptions{AddGenerationPrompt: true})
				if err != nil {
					t.Fatal(err)
				}
				ordered, once := order(text, msgs[:n])
				if want := !slices.Contains(reordered, name) || n == 2; !once || ordered != want {
					t.Errorf("%d messages: in order %v, each once %v\n%s", n, ordered, once, text)
				}
				if strings.HasSuffix(text, msgs[n-1].Content) {
					t.Errorf("%d messages: the rendering ends with a content, not with a generation prompt", n)
				}
			}
			if *tmpl.typed {
				t.Error("contents went in as parts, and every template here takes text")
			}
		})
	}
}

// order reports whether the contents of messages come in order, and each of them once.
func order(text string, msgs []TemplateMessage) (ordered, once bool) {
	ordered, once = true, true
	last := -1
	for _, m := range msgs {
		at := strings.Index(text, m.Content)
		once = once && strings.Count(text, m.Content) == 1
		ordered = ordered && at > last
		last = at
	}
	return ordered, once
}

// The variables of chat.ThinkingOff keep a prompt from opening a thought, in every template but those of models that
// cannot help it.
func TestModelTemplatesThinkingOff(t *testing.T) {
	always := map[string]string{
		"Apriel-1.6-15b-Thinker-fixed":             "always thinks",
		"MiniMax-M2":                               "always thinks",
		"StepFun3.5-Flash":                         "always thinks",
		"NVIDIA-Nemotron-Nano-v2":                  "looks for /no_think in a message's text",
		"deepseek-ai-DeepSeek-R1-Distill-Llama-8B": "always thinks",
		"llama-cpp-deepseek-r1":                    "always thinks",
	}
	for name, source := range modelTemplates(t) {
		t.Run(name, func(t *testing.T) {
			tmpl := newTestTemplate(t, source, TemplateOptions{})
			tags, known := chat.TagsFor(source)
			opens := func(vars map[string]any) bool {
				text, err := tmpl.Render(t.Context(), user("hello"), RenderOptions{AddGenerationPrompt: true, Extra: vars})
				if err != nil {
					t.Fatal(err)
				}
				return chat.PromptOpensThink(text, tags)
			}
			off := chat.ThinkingOff(source)
			if got, want := opens(off), always[name] != ""; got != want {
				t.Errorf("with %v the prompt opens a thought: %v, want %v", off, got, want)
			}
			if !known && opens(nil) {
				t.Error("the prompt opens a thought, yet the family is unknown")
			}
		})
	}
}

// Llama 3.2 shows the date of the run.
func TestModelTemplateDate(t *testing.T) {
	t.Setenv("TZ", "JST-9")
	source, ok := modelTemplates(t)["meta-llama-Llama-3.2-3B-Instruct"]
	if !ok {
		t.Fatal("the template is gone")
	}
	text, err := newTestTemplate(t, source, TemplateOptions{}).Render(t.Context(), user("hello"), RenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, "Today Date: 24 Nov 2026\n") {
		t.Errorf("no date of 24 Nov 2026 in %q", text)
	}
}
