package constitution

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// placeholder stands for a principle's text in the request templates.
const placeholder = "{text}"

// maxWeight keeps sums of weights far from the limits of a float64.
const maxWeight = 1e9

// identifier is what names, ids and tags look like: they appear in comma-separated flags and in file names.
var identifier = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checkContent reports what is wrong with a document whose shape is right.
func (r *report) checkContent(root *yaml.Node, d *Document) {
	r.checkID(at(root, "name"), "the document's name", d.Name)
	r.checkTemplate(at(root, "prompts", "critique_request"), d.Prompts.CritiqueRequest)
	r.checkTemplate(at(root, "prompts", "revision_request"), d.Prompts.RevisionRequest)
	if len(d.Principles) == 0 {
		r.add(at(root, "principles"), "the document has no principles")
	}
	lines := map[string]int{} // principle id → line
	for i, p := range d.Principles {
		node := at(root, "principles", i)
		if line, ok := lines[p.ID]; ok && p.ID != "" {
			r.add(at(node, "id"), "the id %q is already taken by the principle on line %d", p.ID, line)
		} else {
			lines[p.ID] = resolve(node).Line
		}
		r.checkPrinciple(node, p, d.Prompts)
	}
	for i, demo := range d.Demonstrations {
		r.checkDemonstration(at(root, "demonstrations", i), demo, d)
	}
}

func (r *report) checkPrinciple(n *yaml.Node, p Principle, prompts Prompts) {
	r.checkID(at(n, "id"), "a principle's id", p.ID)
	r.checkText(n, "text", p.Text)
	if prompts.CritiqueRequest == "" {
		r.checkText(n, "critique_request", p.CritiqueRequest)
	}
	if prompts.RevisionRequest == "" {
		r.checkText(n, "revision_request", p.RevisionRequest)
	}
	switch {
	case p.Weight < 0:
		r.add(at(n, "weight"), "the weight %v is negative; 0 keeps a principle from being drawn", p.Weight)
	case p.Weight > maxWeight:
		r.add(at(n, "weight"), "the weight %v is too large; the most is %v", p.Weight, float64(maxWeight))
	}
	for i, tag := range p.Tags {
		r.checkID(at(n, "tags", i), "a tag", tag)
	}
	for i, s := range p.Sources {
		r.checkText(at(n, "sources", i), "instrument", s.Instrument)
	}
}

func (r *report) checkDemonstration(n *yaml.Node, demo Demonstration, d *Document) {
	r.checkText(n, "prompt", demo.Prompt)
	r.checkText(n, "response", demo.Response)
	r.checkText(n, "critique", demo.Critique)
	r.checkText(n, "revision", demo.Revision)
	r.checkText(n, "principle", demo.Principle)
	if _, ok := d.Principle(demo.Principle); !ok && demo.Principle != "" {
		r.add(at(n, "principle"), "there is no principle %q in this document%s", demo.Principle, suggest(demo.Principle, d.ids()))
	}
}

func (r *report) checkID(n *yaml.Node, what, id string) {
	switch {
	case id == "":
		r.add(n, "%s is missing", what)
	case !identifier.MatchString(id):
		r.add(n, "%s may hold lower-case letters, digits and single hyphens between them, not %q", what, id)
	}
}

func (r *report) checkText(n *yaml.Node, key, text string) {
	if text == "" {
		r.add(at(n, key), "%s is missing or empty", key)
	}
}

func (r *report) checkTemplate(n *yaml.Node, template string) {
	if template != "" && !strings.Contains(template, placeholder) {
		r.add(n, "the template has no %s, which stands for a principle's text", placeholder)
	}
}

// trim removes surrounding white space from every text that reaches a model or is compared, so that the
// YAML style in which a text is written makes no difference.
func (d *Document) trim() {
	trim := func(texts ...*string) {
		for _, t := range texts {
			*t = strings.TrimSpace(*t)
		}
	}
	trim(&d.Name, &d.Version, &d.Language, &d.Title, &d.Description, &d.Prompts.CritiqueRequest, &d.Prompts.RevisionRequest)
	for i := range d.Principles {
		p := &d.Principles[i]
		trim(&p.ID, &p.Title, &p.Text, &p.CritiqueRequest, &p.RevisionRequest)
	}
	for i := range d.Demonstrations {
		m := &d.Demonstrations[i]
		trim(&m.Prompt, &m.Response, &m.Principle, &m.Critique, &m.Revision)
	}
}

// derive fills in the requests that follow from the templates and from the principles.
func (d *Document) derive() {
	for i := range d.Principles {
		p := &d.Principles[i]
		if p.CritiqueRequest == "" {
			p.CritiqueRequest = strings.ReplaceAll(d.Prompts.CritiqueRequest, placeholder, p.Text)
		}
		if p.RevisionRequest == "" {
			p.RevisionRequest = strings.ReplaceAll(d.Prompts.RevisionRequest, placeholder, p.Text)
		}
	}
	for i := range d.Demonstrations {
		m := &d.Demonstrations[i]
		p, _ := d.Principle(m.Principle)
		m.CritiqueRequest, m.RevisionRequest = p.CritiqueRequest, p.RevisionRequest
	}
}

func (d *Document) ids() []string {
	ids := make([]string, len(d.Principles))
	for i, p := range d.Principles {
		ids[i] = p.ID
	}
	return ids
}
