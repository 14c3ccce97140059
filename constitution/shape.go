package constitution

import (
	"math"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// checkShape reports where a node is not the mapping, list, text or number that the Go type asks for, and
// every key that the type does not have. what names the node in messages. The recursion ends because the
// types do not nest themselves, whatever aliases the file holds.
func (r *report) checkShape(n *yaml.Node, t reflect.Type, what string) {
	n = resolve(n)
	switch t.Kind() {
	case reflect.Struct:
		r.checkMapping(n, t, what)
	case reflect.Slice:
		if isNull(n) {
			return // `tags:` with nothing behind it is an empty list
		}
		if n.Kind != yaml.SequenceNode {
			r.add(n, "%s must be a list", what)
			return
		}
		for _, item := range n.Content {
			r.checkShape(item, t.Elem(), "an item of "+what)
		}
	case reflect.Float64:
		var f float64
		if n.Kind != yaml.ScalarNode || isNull(n) || n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			r.add(n, "%s must be a number", what)
		}
	case reflect.Bool:
		var b bool
		if n.Kind != yaml.ScalarNode || isNull(n) || n.Decode(&b) != nil {
			r.add(n, "%s must be true or false", what)
		}
	case reflect.String:
		switch {
		case n.Style&yaml.FlowStyle != 0:
			r.add(n, "%s must be a text; one that begins with { or [ needs quotes", what)
		case n.Kind != yaml.ScalarNode || n.Tag == "!!binary":
			r.add(n, "%s must be a text", what)
		case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
			r.add(n, "%s begins with %s, which is a tag to YAML and no part of the text: put the text in quotes", what, n.Tag)
		case cutAtHash(n):
			r.add(n, "%s ends before %q, which is a comment to YAML: put the text in quotes, or a space behind the # of a comment", what, n.LineComment)
		}
	}
}

// cutAtHash reports whether a text of several words without quotes is followed by a # that may be meant as a part of it, as in
// "rule #1".
func cutAtHash(n *yaml.Node) bool {
	return n.Style == 0 && strings.Contains(n.Value, " ") && len(n.LineComment) > 1 && !strings.ContainsAny(n.LineComment[1:2], " \t#!-=")
}

func (r *report) checkMapping(n *yaml.Node, t reflect.Type, what string) {
	if n.Kind != yaml.MappingNode {
		hint := ""
		if noSpace.MatchString(n.Value) {
			hint = "; a space follows the colon of each"
		}
		r.add(n, "%s must be a mapping with the keys %s%s", what, strings.Join(keys(t), ", "), hint)
		return
	}
	seen := map[string]int{} // key → line
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, ok := fieldOf(t, key.Value)
		if !ok {
			r.addUnknownKey(n, key, value, t, what)
			continue
		}
		if line, ok := seen[key.Value]; ok {
			r.add(key, "%q is already given on line %d", key.Value, line)
			continue
		}
		seen[key.Value] = key.Line
		if field.Kind() == reflect.Struct && isNull(value) {
			continue // `prompts:` with nothing behind it
		}
		r.checkShape(value, field, key.Value)
	}
}

// addUnknownKey reports a key that the type t does not have, and what may have been meant.
func (r *report) addUnknownKey(n, key, value *yaml.Node, t reflect.Type, what string) {
	hint := suggest(key.Value, keys(t))
	switch {
	case key.Value == "<<":
		r.add(key, "%s has YAML's merge key <<, which is not read: write the fields out, or give requests once, as templates in prompts", what)
		return
	case n.Style&yaml.FlowStyle != 0 && isNull(value) && value.Value == "":
		hint = "; inside { } a comma begins a new key: put a text with a comma in quotes"
	case strings.TrimSpace(key.Value) != key.Value:
		hint = "; it is indented with something that is no space, such as a no-break space"
	case hint == "":
		hint = "; known keys: " + strings.Join(keys(t), ", ")
	}
	r.add(key, "unknown key %q in %s%s", key.Value, what, hint)
}

// keys returns the YAML keys of a struct type, in its order.
func keys(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name == key && name != "-" {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool {
	return resolve(n).Tag == "!!null"
}

// at returns the node at a path of keys and list positions, or the last one on the way that is there, so
// that a missing field is reported at what should have held it.
func at(n *yaml.Node, path ...any) *yaml.Node {
	for _, step := range path {
		next := child(resolve(n), step)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

func child(n *yaml.Node, step any) *yaml.Node {
	switch s := step.(type) {
	case int:
		if n.Kind == yaml.SequenceNode && s < len(n.Content) {
			return n.Content[s]
		}
	case string:
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == s {
				return n.Content[i+1]
			}
		}
	}
	return nil
}
