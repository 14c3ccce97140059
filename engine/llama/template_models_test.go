package llama

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"amend/engine/chat"
)

// Message contents in these tests stand between two private-use characters, which no template writes by itself.
const (
	markOpen  = "\uE000"
	markClose = "\uE001"
)

func sentinel(i int) string { return fmt.Sprintf("%s%d%s", markOpen, i, markClose) }

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
		source, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sources[strings.TrimSuffix(filepath.Base(f), ".jinja")] = string(source)
	}
	return sources
}

// conversation alternates user and assistant for five turns, after a system message where the template takes one.
func conversation(t *testing.T, tmpl *Template, content func(i int, role string) string) []TemplateMessage {
	t.Helper()
	caps, err := tmpl.Caps(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roles := []string{"user", "assistant", "user", "assistant", "user"}
	if caps.SystemRole {
		roles = append([]string{"system"}, roles...)
	}
	msgs := make([]TemplateMessage, len(roles))
	for i, role := range roles {
		msgs[i] = TemplateMessage{Role: role, Content: content(i, role)}
	}
	return msgs
}

// fate is what becomes of sentinels in a rendering.
type fate struct {
	unmarked  bool // a sentinel came out without its mark
	reordered bool // in another order than the messages
	missing   bool // or not exactly once
}

func sentinelFate(segs []Segment, n int) fate {
	var f fate
	var all strings.Builder
	for _, s := range segs {
		f.unmarked = f.unmarked || !s.Content && strings.ContainsAny(s.Text, markOpen+markClose)
		all.WriteString(s.Text)
	}
	last := -1
	for i := range n {
		at := strings.Index(all.String(), sentinel(i))
		f.missing = f.missing || strings.Count(all.String(), sentinel(i)) != 1
		f.reordered = f.reordered || at < last
		last = at
	}
	return f
}

// Every template renders a conversation that it accepts, and what was not asked of it stays as it is: each content
// comes out once, in order and marked. The exceptions can all be seen in the rendering.
func TestModelTemplatesKeepContents(t *testing.T) {
	exceptions := map[string]fate{
		// Puts "<think></think>" before a draft and splits the sum, which keeps no mark on mixed text.
		"NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": {unmarked: true},
		// Writes the system message into the last user turn.
		"mistralai-Mistral-Nemo-Instruct-2407": {reordered: true},
	}
	withoutSystem := []string{"google-gemma-2-2b-it"} // raises an exception

	for name, source := range modelTemplates(t) {
		t.Run(name, func(t *testing.T) {
			tmpl := newTestTemplate(t, source, TemplateOptions{})
			caps, err := tmpl.Caps(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := (TemplateCaps{SystemRole: !slices.Contains(withoutSystem, name)}); caps != want {
				t.Errorf("caps %+v, want %+v", caps, want)
			}
			msgs := conversation(t, tmpl, func(i int, _ string) string { return sentinel(i) })
			for n := 1; n <= len(msgs); n++ {
				if msgs[n-1].Role == "system" || n < len(msgs) && msgs[n-1].Role == "assistant" {
					continue // conversations end with a user, as each turn is asked for
				}
				segs, err := tmpl.Render(t.Context(), msgs[:n], RenderOptions{AddGenerationPrompt: true})
				if err != nil {
					t.Fatal(err)
				}
				want := fate{}
				if n == len(msgs) {
					want = exceptions[name]
				}
				if got := sentinelFate(segs, n); got != want && got != (exceptions[name]) {
					t.Errorf("%d messages: %+v, want %+v\n%s", n, got, want, show(segs))
				}
				if last := segs[len(segs)-1]; last.Content {
					t.Errorf("%d messages: the rendering ends with a content, not with a generation prompt", n)
				}
			}
		})
	}
}

// controlToken finds what may be a control token in a template's source.
var controlToken = regexp.MustCompile(`<[|｜][^<>{}'"\s]+[|｜]>|\[/?[A-Z_]+\]|</?[A-Za-z_:]+>`)

// foreignTokens are control tokens of other models, and the texts of this one's BOS and EOS.
var foreignTokens = []string{"<|im_start|>system", "<s>", "</s>", "[INST]", "<|eot_id|>", "<start_of_turn>", "<BOS>", "<EOS>"}

// placements are where an attacker may write, and how; %s is what is injected.
var placements = map[string]struct{ user, draft string }{
	"user":               {user: "%s"},
	"draft":              {draft: "%s"},
	"before the thought": {draft: "%s<think>hm</think>yes"},
	"inside the thought": {draft: "<think>%s</think>yes"},
	"after the thought":  {draft: "<think>hm</think>%s"},
	"after a bare close": {draft: "hm</think>%s"},
	"user with thought":  {user: "<think>hm</think>%s"},
}

// An injected control token comes out marked, and cannot change the template's own text. Some templates take a draft
// that holds think tags apart with split or join, which drop marks; a content's sentinels show it, so that nothing
// gets out unseen. engine/chat renders with contents that hold no tag, and so never meets these.
func TestModelTemplatesKeepInjectedTokensAsText(t *testing.T) {
	exceptions := map[string]string{
		"Bielik-11B-v3.0-Instruct":            "splits a draft at </think> and joins the rest",
		"MiniMax-M3":                          "splits a draft at </mm:think>",
		"NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": "splits a draft after putting text before it",
		"NVIDIA-Nemotron-Nano-v2":             "splits a draft at </think>",
		"inclusionai-ling-3.0-flash":          "splits a draft at </think>",
		"poolside-Laguna-XS-2.1":              "splits a draft at </think>",
		"poolside-Laguna-XS.2":                "splits a draft at </think>",
	}
	for name, source := range modelTemplates(t) {
		t.Run(name, func(t *testing.T) {
			tmpl := newTestTemplate(t, source, TemplateOptions{})
			harmless, _ := renderTurns(t, tmpl, "word", "word")
			tokens := slices.Concat(foreignTokens, controlToken.FindAllString(source, -1))
			slices.Sort(tokens)
			lost := false
			for _, token := range slices.Compact(tokens) {
				for place, p := range placements {
					plain := place == "user" || place == "draft"
					if !plain && token != foreignTokens[0] && !strings.Contains(strings.ToLower(token), "think") {
						continue // what happens beside a thought depends on think tags alone
					}
					injected := markOpen + token + markClose
					segs, refused := renderTurns(t, tmpl, fill(p.user, injected), fill(p.draft, injected))
					switch {
					case refused:
					case sentinelFate(segs, 0).unmarked:
						lost = true
						if exceptions[name] == "" || p.user != "" {
							t.Errorf("%s in %s is not marked:\n%s", token, place, show(segs))
						}
					case plain && exceptions[name] == "" && skeleton(segs) != skeleton(harmless):
						t.Errorf("%s in %s changes the template's text:\n%s", token, place, show(segs))
					}
				}
			}
			if exceptions[name] != "" && !lost {
				t.Errorf("no mark was lost: it is no exception")
			}
		})
	}
}

// renderTurns renders a conversation whose user and system turns are all user, and whose drafts are all draft. Raising
// an exception is a template's right.
func renderTurns(t *testing.T, tmpl *Template, user, draft string) (segs []Segment, refused bool) {
	t.Helper()
	msgs := conversation(t, tmpl, func(_ int, role string) string {
		if role == "assistant" {
			return draft
		}
		return user
	})
	segs, err := tmpl.Render(t.Context(), msgs, RenderOptions{AddGenerationPrompt: true})
	var own *TemplateError
	if errors.As(err, &own) && own.Raised {
		return nil, true
	}
	if err != nil {
		t.Fatal(err)
	}
	return segs, false
}

// fill puts injected into a placement; an empty placement is a harmless word.
func fill(place, injected string) string {
	if place == "" {
		return "word"
	}
	return strings.ReplaceAll(place, "%s", injected)
}

// skeleton is the template's own text with a NUL for each content.
func skeleton(segs []Segment) string {
	var b strings.Builder
	for _, s := range segs {
		if s.Content {
			b.WriteByte(0)
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
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
				segs, err := tmpl.Render(t.Context(), user("hello"), RenderOptions{AddGenerationPrompt: true, Extra: vars})
				if err != nil {
					t.Fatal(err)
				}
				return chat.PromptOpensThink(segs[len(segs)-1].Text, tags)
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
	segs, err := newTestTemplate(t, source, TemplateOptions{}).Render(t.Context(), user("hello"), RenderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(segs[0].Text, "Today Date: 24 Nov 2026\n") {
		t.Errorf("no date of 24 Nov 2026 in %q", segs[0].Text)
	}
}
