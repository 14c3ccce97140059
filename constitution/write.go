package constitution

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes a document as one that stands alone: what it extends is in it, every request is spelled out, and a
// comment behind each field names the layer and line that it is from. Reading it gives the same Hash.
func (d *Document) YAML() ([]byte, error) {
	alone := *d
	alone.Name = strings.ReplaceAll(d.Name, "+", "-")
	var root yaml.Node
	if err := root.Encode(&alone); err != nil {
		return nil, fmt.Errorf("writing constitution %s: %w", d.Name, err)
	}
	prune(&root)
	comment(&root, "", d.Origins)
	if list := child(&root, "principles"); list != nil {
		for i, n := range list.Content {
			comment(n, "", d.Principles[i].Origins)
			d.Principles[i].commentWeight(n)
		}
	}
	var names []string
	for _, l := range d.Layers {
		names = append(names, l.Name)
	}
	root.HeadComment = "Composed of " + strings.Join(names, ", ") + "."
	for _, p := range d.Off {
		last := p.Chain[len(p.Chain)-1]
		root.HeadComment += fmt.Sprintf("\nSwitched off by %s: %s (%s)", last.Layer, p.ID, last.Reason)
		if out := last.LeftOut(); out != "" {
			root.HeadComment += "; " + out
		}
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, fmt.Errorf("writing constitution %s: %w", d.Name, err)
	}
	return out.Bytes(), enc.Close()
}

// prune leaves out what is empty, except for weights.
func prune(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var kept []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			prune(n.Content[i+1])
			v := n.Content[i+1]
			empty := v.Kind == yaml.ScalarNode && (v.Value == "" || v.Tag == "!!null" || v.Tag == "!!bool" && v.Value == "false") || v.Kind != yaml.ScalarNode && len(v.Content) == 0
			if !empty {
				kept = append(kept, n.Content[i], v)
			}
		}
		n.Content = kept
		return
	}
	for _, c := range n.Content {
		prune(c)
	}
}

// comment says behind each field of a mapping or list where it is from; path is that of n among the origins' keys.
func comment(n *yaml.Node, path string, origins map[string]Origin) {
	if n.Kind == yaml.SequenceNode {
		whole := origins[strings.TrimSuffix(path, ".")] // said behind the key
		for i, item := range n.Content {
			if o, ok := origins[path+strconv.Itoa(i)]; ok && o.Layer != whole.Layer && item.Kind == yaml.MappingNode {
				commentField(item.Content[0], item.Content[1], o)
			}
		}
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		o, ok := origins[path+key.Value]
		if ok {
			commentField(key, value, o)
		}
		if value.Kind == yaml.SequenceNode || value.Kind == yaml.MappingNode && !ok {
			comment(value, path+key.Value+".", origins)
		}
	}
}

// commentField puts an origin behind a value on one line, else behind its key.
func commentField(key, value *yaml.Node, o Origin) {
	if value.Kind == yaml.ScalarNode && value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		value.LineComment = o.String()
	} else {
		key.LineComment = o.String()
	}
}

// commentWeight says that a weight is the default, where no layer gave one.
func (p Principle) commentWeight(n *yaml.Node) {
	if _, given := p.Origins["weight"]; !given {
		child(n, "weight").LineComment = "where none is given"
	}
}
