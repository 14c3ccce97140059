package chat

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Source is the chat template in the contents of a file: Jinja as it stands, or JSON that holds it. JSON is a
// tokenizer_config.json, a chat_template.json or a text. What holds no Jinja is refused by its name.
func Source(data []byte) (string, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if err := refuseFile(data); err != nil {
		return "", err
	}
	source := string(data)
	if json.Valid(data) {
		var err error
		if source, err = sourceOfJSON(data); err != nil {
			return "", err
		}
	} else if broken.Match(data) {
		var v any
		return "", fmt.Errorf("it is JSON that does not end, or has a fault (%w): fetch it again", json.Unmarshal(data, &v))
	}
	switch {
	case strings.TrimSpace(source) == "":
		return "", errors.New("the chat template in it is empty")
	case ollamaTemplate.MatchString(source):
		return "", errors.New("it is a Go template, as Ollama has them, and amend reads Jinja: use the model's own template, or give the chat_template of its tokenizer_config.json")
	}
	return source, nil
}

var (
	// broken matches the start of a JSON object, unless Jinja comes before its first value.
	broken = regexp.MustCompile(`^\s*\{\s*"[a-z_]+"\s*:\s*("[^{]|\[|\{\s*"|true|false|null|[0-9])`)
	// ollamaTemplate matches fields, conditions and ranges, which Jinja writes in another way.
	ollamaTemplate = regexp.MustCompile(`\{\{-?\s*((if|range|with|else if|and|or|not|eq|len)\s+)*[($]*\s*\.[A-Z]\w*|\{\{-?\s*(if\s|range\s+[$.])`)
)

// refuseFile reports files that are no text, and texts that are known to be something else.
func refuseFile(data []byte) error {
	start := strings.ToLower(string(bytes.TrimSpace(data[:min(len(data), 256)])))
	switch {
	case bytes.HasPrefix(data, []byte("GGUF")):
		return errors.New("it is a GGUF model, not a chat template: give it as the model, and no template to use its own")
	case strings.HasPrefix(start, "version https://git-lfs"):
		return errors.New("it is a Git LFS pointer: git lfs pull fetches the file")
	case strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html"):
		return errors.New("it is a web page: download the raw file")
	case !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0:
		return errors.New("it is no text in UTF-8")
	}
	return nil
}

// sourceOfJSON finds the template in JSON: the text itself, or what stands under chat_template.
func sourceOfJSON(data []byte) (string, error) {
	var text string
	if json.Unmarshal(data, &text) == nil {
		return text, nil
	}
	var config struct {
		Template json.RawMessage `json:"chat_template"`
	}
	if json.Unmarshal(data, &config) != nil { // a list, as chat_template may be one
		return sourceOfList(data)
	}
	if len(config.Template) == 0 || string(config.Template) == "null" {
		return "", errors.New("it is JSON without a chat_template: newer models have it in a chat_template.jinja beside")
	}
	if json.Unmarshal(config.Template, &text) == nil {
		return text, nil
	}
	return sourceOfList(config.Template)
}

// defaultTemplate is the name of the template that is for conversations without tools.
const defaultTemplate = "default"

// sourceOfList picks one of several named templates: the default one, or the only one.
func sourceOfList(data []byte) (string, error) {
	named := map[string]string{}
	var list []struct{ Name, Template string }
	if json.Unmarshal(data, &list) == nil {
		for _, t := range list {
			named[t.Name] = t.Template
		}
	} else if json.Unmarshal(data, &named) != nil {
		return "", errors.New("its chat_template is neither a text nor a list of named texts")
	}
	names := slices.Sorted(maps.Keys(named))
	switch source, ok := named[defaultTemplate]; {
	case ok:
		return source, nil
	case len(names) == 1:
		return named[names[0]], nil
	case len(names) == 0:
		return "", errors.New("it is JSON that names no chat template")
	}
	return "", fmt.Errorf("it has the chat templates %s, and none is named %s: save the one that you want as a file of its own", strings.Join(names, ", "), defaultTemplate)
}
