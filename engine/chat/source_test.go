package chat

import (
	"encoding/json"
	"strings"
	"testing"
)

const jinja = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"

func quoted(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestSource: the template is found in every file that holds one.
func TestSource(t *testing.T) {
	named := func(name, template string) map[string]string {
		return map[string]string{"name": name, "template": template}
	}
	for name, text := range map[string]string{
		"Jinja":                  jinja,
		"with a BOM":             "\ufeff" + jinja,
		"a JSON text":            quoted(t, jinja),
		"a JSON text with a BOM": "\ufeff" + quoted(t, jinja) + "\n",
		"tokenizer_config.json":  quoted(t, map[string]any{"add_bos_token": false, "chat_template": jinja, "model_max_length": 1e30}),
		"its list":               quoted(t, map[string]any{"chat_template": []any{named("tool_use", "x"), named("default", jinja)}}),
		"its list of one":        quoted(t, map[string]any{"chat_template": []any{named("chat", jinja)}}),
		"names and texts":        quoted(t, map[string]any{"chat_template": map[string]string{"rag": "x", "default": jinja}}),
		"the list alone":         quoted(t, []any{named("tool_use", "x"), named("default", jinja)}),
	} {
		if got, err := Source([]byte(text)); err != nil || got != jinja {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, text := range []string{`"{{ bos_token }}"`, `{"{{ messages[0].content }}"}`, "{{ messages[-1]['content'] if messages else '.End' }}", "{{- end_token -}}", "{{ end }}{{ range(3) | list }}"} {
		if got, err := Source([]byte(text)); err != nil || !strings.Contains(text, got) {
			t.Errorf("Jinja %s: %q, %v", text, got, err)
		}
	}
}

// TestSourceRefuses: what is no template is named, with a remedy.
func TestSourceRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "is empty",
		"\ufeff \n":               "is empty",
		`""`:                      "is empty",
		`{"chat_template": ""}`:   "is empty",
		`{"eos_token": "</s>"}`:   "without a chat_template",
		`{"chat_template": null}`: "without a chat_template",
		`{"chat_template": 3}`:    "neither a text nor a list",
		`{"chat_template": []}`:   "names no chat template",
		`{"chat_template": [{"name": "rag", "template": "x"}, {"name": "tool_use", "template": "y"}]}`: "rag, tool_use",
		`{"add_bos_token": true, "chat_template": "{% for`:                                             "does not end",
		"{\n  \"chat_template\": \"x\",\n}":                                                            "does not end, or has a fault",
		"{{ if .System }}<|system|>{{ .System }}{{ end }}{{ .Prompt }}":                                "Go template",
		"{{- range .Messages }}{{ .Content }}{{- end }}":                                               "Go template",
		"{{- range $i, $_ := .Messages }}{{- $last := eq (len (slice $.Messages $i)) 1 }}{{- end -}}":  "Go template",
		"FROM llama3\nTEMPLATE \"\"\"{{ .Prompt }}\"\"\"":                                              "Go template",
		"{\"template\": \"{{ .Prompt }}\"}":                                                            "without a chat_template",
		quoted(t, "{{ .Prompt }}"):                                                                     "Go template",
		"GGUF\x03\x00\x00\x00":                                                                         "GGUF",
		"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n":                           "git lfs pull",
		"<!DOCTYPE html><html></html>":                                                                 "web page",
		"\xff\xfe{\x00{\x00":                                                                           "UTF-8",
	} {
		if got, err := Source([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want %s", text, got, err, want)
		}
	}
}
