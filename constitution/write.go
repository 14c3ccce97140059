package constitution

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// YAML writes a document as one that stands alone: what it extends is in it, every request is spelled out, and a
// comment behind each field of a principle names the layer and line that it is from. Reading it gives the same Hash.
func (d *Document) YAML() ([]byte, error) {
	alone := *d
	alone.Name = strings.ReplaceAll(d.Name, "+", "-")
	var root yaml.Node
	if err := root.Encode(&alone); err != nil {
		return nil, fmt.Errorf("writing constitution %s: %w", d.Name, err)
	}
	prune(&root)
	if list := child(&root, "principles"); list != nil {
		for i, n := range list.Content {
			d.Principles[i].comment(n)
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
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&root); err != nil {
		return nil, fmt.Errorf("writing constitution %s: %w", d.Name, err)
	}
	return out.Bytes(), enc.Close()
}

// prune leaves out what is empty, but for weights.
func prune(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var kept []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			prune(n.Content[i+1])
			v := n.Content[i+1]
			empty := v.Kind == yaml.ScalarNode && (v.Value == "" || v.Tag == "!!null" || v.Value == "false") || v.Kind != yaml.ScalarNode && len(v.Content) == 0
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

// comment says behind each field where it is from.
func (p Principle) comment(n *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		o, ok := p.Origins[key.Value]
		switch {
		case !ok && key.Value == "weight":
			value.LineComment = "where none is given"
			continue
		case !ok:
			continue
		}
		text := fmt.Sprintf("%s, line %d", o.Layer, o.Line)
		if o.Line == 0 {
			text = o.Layer + ", derived"
		}
		if value.Kind == yaml.ScalarNode && value.Style&yaml.LiteralStyle == 0 && value.Style&yaml.FoldedStyle == 0 {
			value.LineComment = text
		} else {
			key.LineComment = text
		}
	}
}
