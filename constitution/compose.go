package constitution

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// composition puts layers on top of each other, the lowest first.
type composition struct {
	doc Document
	// templates are those that hold for a principle's text, by id.
	templates map[string]Prompts
	demos     *layer // that gave the demonstrations
	shown     []judged
	tested    []judged
}

// judged is a judgement and where it was given: its layer, its node there, and the list's.
type judged struct {
	Judgement
	layer      *layer
	node, list *yaml.Node
}

// compose makes one document of layers; named are those that were asked for, the others are below them. Faults are
// returned as Problems, with the file they are in.
func compose(layers, named []*layer) (*Document, error) {
	c := &composition{templates: map[string]Prompts{}}
	c.doc.Origins = map[string]Origin{}
	for _, l := range layers {
		r := &report{file: l.File}
		c.put(r, l)
		if err := r.err(); err != nil {
			return nil, err
		}
	}
	top := layers[len(layers)-1]
	r := &report{file: top.File}
	if len(c.doc.Principles) == 0 {
		r.add(at(top.root, "principles"), "the document has no principles")
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	if err := c.finishDemonstrations(); err != nil {
		return nil, err
	}
	if err := c.finishJudgements(); err != nil {
		return nil, err
	}
	c.describe(named)
	return &c.doc, nil
}

// put adds a layer.
func (c *composition) put(r *report, l *layer) {
	c.doc.Layers = append(c.doc.Layers, l.Layer)
	own := &l.doc.Prompts
	c.take(l, "prompts.critique_request", &c.doc.Prompts.CritiqueRequest, own.CritiqueRequest)
	c.take(l, "prompts.revision_request", &c.doc.Prompts.RevisionRequest, own.RevisionRequest)
	c.take(l, "prompts.judge_instruction", &c.doc.Prompts.JudgeInstruction, own.JudgeInstruction)
	c.take(l, "prompts.verdict_request", &c.doc.Prompts.VerdictRequest, own.VerdictRequest)
	for i, p := range l.doc.Principles {
		node := resolve(at(l.root, "principles", i))
		below := slices.IndexFunc(c.doc.Principles, func(q Principle) bool { return q.ID == p.ID })
		if below >= 0 {
			c.change(r, l, node, p, below)
		} else {
			c.add(r, l, node, p)
		}
	}
	for i, s := range l.doc.Sources {
		if !slices.Contains(c.doc.Sources, s) {
			c.doc.Origins[fmt.Sprintf("sources.%d", len(c.doc.Sources))] = Origin{l.Name, at(l.root, "sources", i).Line}
			c.doc.Sources = append(c.doc.Sources, s)
		}
	}
	// Demonstrations are one preamble, which a layer replaces whole.
	if len(l.doc.Demonstrations) > 0 {
		c.doc.Demonstrations, c.demos = slices.Clone(l.doc.Demonstrations), l
		c.doc.Origins["demonstrations"] = Origin{l.Name, at(l.root, "demonstrations").Line}
	}
	c.putJudgements(l)
}

// putJudgements takes up a layer's judgements. Those shown are one preamble, like demonstrations. Tests are of one principle
// each, so a layer replaces those of the principles that it tests itself.
func (c *composition) putJudgements(l *layer) {
	var shown, tested []judged
	for i, j := range l.doc.Judgements {
		given := judged{j, l, at(l.root, "judgements", i), at(l.root, "judgements")}
		if j.Use == UseTest {
			tested = append(tested, given)
		} else {
			shown = append(shown, given)
		}
	}
	if len(shown) > 0 {
		c.shown = shown
	}
	c.tested = slices.DeleteFunc(c.tested, func(below judged) bool {
		return slices.ContainsFunc(tested, func(j judged) bool { return j.Principle == below.Principle })
	})
	c.tested = append(c.tested, tested...)
}

// take takes up a text of the document that a layer gives; key is its path.
func (c *composition) take(l *layer, key string, to *string, given string) {
	if given == "" {
		return
	}
	*to = given
	var path []any
	for _, step := range strings.Split(key, ".") {
		path = append(path, step)
	}
	c.doc.Origins[key] = Origin{l.Name, at(l.root, path...).Line}
}

// add takes up a principle that no layer below has.
func (c *composition) add(r *report, l *layer, node *yaml.Node, p Principle) {
	if i := slices.IndexFunc(c.doc.Off, func(q Principle) bool { return q.ID == p.ID }); i >= 0 {
		last := c.doc.Off[i].Chain[len(c.doc.Off[i].Chain)-1]
		r.add(at(node, "id"), "the principle %q is switched off by the layer %s (line %d)", p.ID, last.Layer, last.Line)
		return
	}
	if p.Off || p.Text == "" && p.Reason != "" {
		r.add(at(node, "id"), "there is no principle %q in a layer below, to be changed%s", p.ID, suggest(p.ID, c.doc.ids()))
		return
	}
	r.checkText(node, "text", p.Text)
	c.templates[p.ID] = c.doc.Prompts
	if c.doc.Prompts.CritiqueRequest == "" {
		r.checkText(node, "critique_request", p.CritiqueRequest)
	}
	if c.doc.Prompts.RevisionRequest == "" {
		r.checkText(node, "revision_request", p.RevisionRequest)
	}
	p.Tags, p.Sources = slices.Clone(p.Tags), slices.Clone(p.Sources)
	given := givenKeys(node)
	p.Origins = map[string]Origin{}
	p.note(l, node, given)
	p.Chain = []Change{{Layer: l.Name, Line: node.Line, Action: Added, Fields: given, Reason: p.Reason}}
	c.doc.Principles = append(c.doc.Principles, p)
	c.derive(&c.doc.Principles[len(c.doc.Principles)-1], l, node)
}

// change lays what a layer gives over the principle below.
func (c *composition) change(r *report, l *layer, node *yaml.Node, p Principle, below int) {
	q := &c.doc.Principles[below]
	if p.Reason == "" {
		r.add(at(node, "id"), "the principle %q is of the layer %s (line %d), and there is no reason given for its change", p.ID, q.Origins["id"].Layer, q.Origins["id"].Line)
		return
	}
	given := slices.DeleteFunc(givenKeys(node), func(key string) bool { return key == "id" || key == "reason" })
	if p.Off {
		if len(given) > 1 {
			r.add(at(node, "off"), "the principle %q is switched off and changed at once", p.ID)
			return
		}
		q.Off, q.Reason = true, p.Reason
		q.Chain = append(q.Chain, Change{Layer: l.Name, Line: node.Line, Action: SwitchOff, Reason: p.Reason})
		c.doc.Off = append(c.doc.Off, *q)
		c.doc.Principles = slices.Delete(c.doc.Principles, below, below+1)
		return
	}
	to, from := reflect.ValueOf(q).Elem(), reflect.ValueOf(p)
	for _, key := range given {
		to.FieldByIndex(fieldIndex(to.Type(), key)).Set(from.FieldByIndex(fieldIndex(to.Type(), key)))
	}
	q.Reason = p.Reason
	q.Chain = append(q.Chain, Change{Layer: l.Name, Line: node.Line, Action: Changed, Fields: given, Reason: p.Reason})
	if slices.Contains(given, "text") {
		c.templates[p.ID] = c.doc.Prompts
	}
	q.note(l, node, given)
	c.derive(q, l, node)
}

// note records where fields were given.
func (p *Principle) note(l *layer, node *yaml.Node, keys []string) {
	for _, key := range keys {
		p.Origins[key] = Origin{l.Name, at(node, key).Line}
	}
}

// request is a field that may be derived, and its template.
type request struct {
	key, template string
	text          *string
}

func (p *Principle) requests(t Prompts) []request {
	if p.Framing != Negative {
		t.VerdictRequest = "" // one response alone shows what it does, not how much better it could be
	}
	return []request{
		{"critique_request", t.CritiqueRequest, &p.CritiqueRequest},
		{"revision_request", t.RevisionRequest, &p.RevisionRequest},
		{"judge_instruction", t.JudgeInstruction, &p.JudgeInstruction},
		{"verdict_request", t.VerdictRequest, &p.VerdictRequest},
	}
}

// derive makes the requests that no layer gave from the text and the templates that hold for it.
func (c *composition) derive(p *Principle, l *layer, node *yaml.Node) {
	for _, q := range p.requests(c.templates[p.ID]) {
		if at, given := p.Origins[q.key]; given && at.Line > 0 || q.template == "" {
			continue
		}
		*q.text = strings.ReplaceAll(q.template, placeholder, p.Text)
		p.Origins[q.key] = Origin{Layer: l.Name} // no line: derived
	}
}

// finishDemonstrations gives demonstrations the requests of the principles that they name. Those of a principle that is
// switched off go out with it.
func (c *composition) finishDemonstrations() error {
	if c.demos == nil {
		return nil
	}
	r := &report{file: c.demos.File}
	var kept []Demonstration
	for i, m := range c.doc.Demonstrations {
		p, ok := c.find(m.Principle)
		switch {
		case !ok:
			r.addDangling(at(c.demos.root, "demonstrations", i), m.Principle, c.doc.ids())
		case p.Off:
			c.switchedOff(p.ID).Demonstrations++
		default:
			m.CritiqueRequest, m.RevisionRequest = p.CritiqueRequest, p.RevisionRequest
			kept = append(kept, m)
		}
	}
	c.doc.Demonstrations = kept
	return r.err()
}

// switchedOff is the change that switched a principle off.
func (c *composition) switchedOff(id string) *Change {
	off := c.doc.Off[slices.IndexFunc(c.doc.Off, func(p Principle) bool { return p.ID == id })]
	return &off.Chain[len(off.Chain)-1]
}

// finishJudgements does the same for judgements.
func (c *composition) finishJudgements() error {
	var faults Problems
	for _, j := range slices.Concat(c.shown, c.tested) {
		r := &report{file: j.layer.File}
		p, ok := c.find(j.Principle)
		switch {
		case !ok:
			r.addDangling(j.node, j.Principle, c.doc.ids())
		case p.JudgeInstruction == "" && !p.Off:
			r.add(at(j.node, "principle"), "the principle %q has no judge_instruction, and there is no template for one", j.Principle)
		}
		faults = append(faults, r.problems...)
		if p.Off {
			if j.Use != UseTest {
				c.switchedOff(p.ID).Judgements++
			}
			continue
		}
		j.JudgeInstruction = p.JudgeInstruction
		if j.VerdictRequest = p.VerdictRequest; j.VerdictRequest == "" { // an example is one under any principle
			j.VerdictRequest = strings.ReplaceAll(c.templates[p.ID].VerdictRequest, placeholder, p.Text)
		}
		if len(c.doc.Judgements) == 0 {
			c.doc.Origins["judgements"] = Origin{j.layer.Name, j.list.Line}
		}
		c.doc.Origins[fmt.Sprintf("judgements.%d", len(c.doc.Judgements))] = Origin{j.layer.Name, resolve(j.node).Line}
		c.doc.Judgements = append(c.doc.Judgements, j.Judgement)
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// find returns a principle, be it switched off.
func (c *composition) find(id string) (p Principle, ok bool) {
	for _, p := range slices.Concat(c.doc.Principles, c.doc.Off) {
		if p.ID == id {
			return p, true
		}
	}
	return Principle{}, false
}

// addDangling reports a worked example, n, that names a principle which is not there.
func (r *report) addDangling(n *yaml.Node, id string, ids []string) {
	r.add(at(n, "principle"), "there is no principle %q in this document or below it%s", id, suggest(id, ids))
}

// describe gives the composition the names and the rest of what is said for people.
func (c *composition) describe(named []*layer) {
	var names, versions []string
	d := &c.doc
	for _, l := range named {
		names, versions = append(names, l.Name), append(versions, l.Version)
		c.take(l, "language", &d.Language, l.doc.Language)
		c.take(l, "title", &d.Title, l.doc.Title)
		c.take(l, "description", &d.Description, l.doc.Description)
		c.take(l, "unsourced", &d.Unsourced, l.doc.Unsourced)
	}
	d.Name, d.Version = strings.Join(names, "+"), strings.Trim(strings.Join(versions, "+"), "+")
}

// givenKeys are the keys of a mapping, in its order.
func givenKeys(node *yaml.Node) []string {
	var out []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		out = append(out, node.Content[i].Value)
	}
	return out
}

func fieldIndex(t reflect.Type, key string) []int {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("yaml") == key {
			return []int{i}
		}
	}
	panic(fmt.Sprintf("checkShape let the key %q pass", key))
}
