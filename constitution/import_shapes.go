package constitution

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// member is a key of a JSON object and its value.
type member struct {
	key   string
	value json.RawMessage
}

// members are those of a JSON object, in its order; nil for any other value.
func members(data []byte) []member {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	out := []member{}
	for dec.More() {
		var m member
		t, err := dec.Token()
		if err == nil {
			m.key, _ = t.(string)
			err = dec.Decode(&m.value)
		}
		if err != nil {
			return nil
		}
		out = append(out, m)
	}
	return out
}

// find is the first member that has one of the keys, or nil.
func find(ms []member, keys ...string) json.RawMessage {
	for _, m := range ms {
		if slices.Contains(keys, m.key) {
			return m.value
		}
	}
	return nil
}

// add reads one file.
func (im *Imported) add(data []byte) error {
	if !json.Valid(data) {
		return notJSON(data)
	}
	if obj := members(data); obj != nil {
		return im.addObject(obj)
	}
	var list []json.RawMessage
	if json.Unmarshal(data, &list) != nil {
		return errShape()
	}
	for i, item := range list {
		if err := im.addItem(item); err != nil {
			return fmt.Errorf("item %d: %w", i+1, err)
		}
	}
	return nil
}

// notJSON says why data is no JSON.
func notJSON(data []byte) error {
	if len(data) == 0 {
		return errors.New("it is empty")
	}
	var v any
	err := json.Unmarshal(data, &v)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		line := 1 + bytes.Count(data[:min(int(syntax.Offset), len(data))], []byte("\n"))
		return fmt.Errorf("line %d: it is no JSON (%w); a constitution in YAML needs no import", line, err)
	}
	return fmt.Errorf("it is no JSON: %w", err)
}

// errShape says which shapes there are.
func errShape() error {
	return errors.New(`it has no critique and revision requests in a known shape: {"NAME": {"prompt": [...], "edit_request": ...}} of the CAI paper's repository, its list of few-shot prompts, {"constitutions": [{"critic": ..., "revision": ...}], "system_chat": [...]} of llm-swarm, or a list of {"critique_request": ..., "revision_request": ...}`)
}

// addObject reads llm-swarm's object, or one whose keys name pairs.
func (im *Imported) addObject(obj []member) error {
	if pairs := find(obj, "constitutions", "constitution", "principles"); pairs != nil {
		if err := im.add(pairs); err != nil {
			return err
		}
		return im.addChats(find(obj, "system_chat", "few_shot", "few_shots"))
	}
	if ok, err := im.addPair("rule", obj); ok {
		return err
	}
	for _, m := range obj {
		ok, err := im.addPair(m.key, members(m.value))
		if err != nil {
			return fmt.Errorf("%q: %w", m.key, err)
		}
		if !ok {
			return fmt.Errorf("%q: %w", m.key, errShape())
		}
	}
	return nil
}

// addItem reads one item of a list: a pair, a chat, or a few-shot prompt as one text.
func (im *Imported) addItem(item json.RawMessage) error {
	var text string
	if json.Unmarshal(item, &text) == nil {
		return im.addTranscript(text)
	}
	obj := members(item)
	if ok, err := im.addPair("rule", obj); ok {
		return err
	}
	if find(obj, "corrects", "incorrects") != nil {
		return errors.New("it is a worked comparison for a judge, without critiques: write it into judgements")
	}
	if bytes.HasPrefix(bytes.TrimSpace(item), []byte("[")) {
		return im.addChats(append(append(json.RawMessage("["), item...), ']'))
	}
	return errShape()
}

// addPair reads an object that is a pair; ok is false for any other.
func (im *Imported) addPair(id string, obj []member) (ok bool, err error) {
	critique := find(obj, "critique_request", "critiqueRequest", "critic", "critique", "prompt")
	revision := find(obj, "revision_request", "revisionRequest", "revision", "edit_request")
	if critique == nil || revision == nil {
		return false, nil
	}
	critiques, err := texts(critique)
	if err != nil {
		return true, fmt.Errorf("its critique request: %w", err)
	}
	revisions, err := texts(revision)
	if err != nil {
		return true, fmt.Errorf("its revision request: %w", err)
	}
	if name := find(obj, "name", "id"); name != nil {
		if given, err := texts(name); err == nil {
			id = given[0]
		}
	}
	if len(revisions) != 1 && len(revisions) != len(critiques) {
		return true, fmt.Errorf("it has %d critique requests and %d revision requests: give one for each, or one for all", len(critiques), len(revisions))
	}
	for i, text := range critiques {
		p := requestPair{id: id, critique: between(text, critiqueRequestMark, critiqueMark), revision: between(revisions[min(i, len(revisions)-1)], revisionRequestMark, revisionMark)}
		if p.critique == "" || p.revision == "" {
			return true, errors.New("one of its requests is empty")
		}
		im.pairs = append(im.pairs, p)
	}
	return true, nil
}

// texts reads a text, or a list of them.
func texts(data json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(data, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil || len(list) == 0 {
		return nil, errors.New("it must be a text or a list of texts")
	}
	return list, nil
}

// The marks of the paper's prompts.
const (
	critiqueRequestMark = "CritiqueRequest:"
	critiqueMark        = "Critique:"
	revisionRequestMark = "RevisionRequest:"
	revisionMark        = "Revision:"
)

// between is a text without the mark before it and that behind it.
func between(text, before, behind string) string {
	text = strings.TrimPrefix(strings.TrimSpace(text), before)
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(text), behind))
}
