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

// checkContent reports what is wrong with a layer whose shape is right, whatever is below it.
func (r *report) checkContent(root *yaml.Node, d *Document) {
	r.checkID(at(root, "name"), "the document's name", d.Name)
	r.checkTemplate(at(root, "prompts", "critique_request"), d.Prompts.CritiqueRequest)
	r.checkTemplate(at(root, "prompts", "revision_request"), d.Prompts.RevisionRequest)
	r.checkTemplate(at(root, "prompts", "judge_instruction"), d.Prompts.JudgeInstruction)
	r.checkTemplate(at(root, "prompts", "verdict_request"), d.Prompts.VerdictRequest)
	for i, name := range d.Extends {
		if name == "" {
			r.add(at(root, "extends", i), "an item of extends is empty; it names a layer")
		}
	}
	r.checkSources(root, d.Sources)
	lines := map[string]int{} // principle id → line
	for i, p := range d.Principles {
		node := at(root, "principles", i)
		if line, ok := lines[p.ID]; ok && p.ID != "" {
			r.add(at(node, "id"), "the id %q is already taken by the principle on line %d", p.ID, line)
		} else {
			lines[p.ID] = resolve(node).Line
		}
		r.checkPrinciple(node, p)
	}
	for i, demo := range d.Demonstrations {
		r.checkDemonstration(at(root, "demonstrations", i), demo)
	}
	for i, j := range d.Judgements {
		r.checkJudgement(at(root, "judgements", i), j)
	}
}

func (r *report) checkPrinciple(n *yaml.Node, p Principle) {
	r.checkID(at(n, "id"), "a principle's id", p.ID)
	for _, given := range []struct{ key, text string }{
		{"text", p.Text}, {"critique_request", p.CritiqueRequest}, {"revision_request", p.RevisionRequest},
		{"judge_instruction", p.JudgeInstruction}, {"verdict_request", p.VerdictRequest}, {"reason", p.Reason},
	} {
		if child(resolve(n), given.key) != nil {
			r.checkText(n, given.key, given.text)
		}
	}
	switch {
	case p.Weight < 0:
		r.add(at(n, "weight"), "the weight %v is negative; 0 keeps a principle from being drawn", p.Weight)
	case p.Weight > maxWeight:
		r.add(at(n, "weight"), "the weight %v is too large; the most is %v", p.Weight, float64(maxWeight))
	}
	if p.Framing != "" && p.Framing != Positive && p.Framing != Negative {
		names := []string{string(Positive), string(Negative)}
		r.add(at(n, "framing"), "the framing %q is neither of %s%s", p.Framing, strings.Join(names, " and "), suggest(string(p.Framing), names))
	}
	r.checkIDs(n, "tags", "a tag", p.Tags)
	applies := at(n, "applies")
	r.checkIDs(applies, "jurisdictions", "a jurisdiction", p.Applies.Jurisdictions)
	for i, l := range p.Applies.Languages {
		if strings.TrimSpace(l) == "" {
			r.add(at(applies, "languages", i), "a language is missing")
		}
	}
	r.checkIDs(applies, "prompt_tags", "a prompt's tag", p.Applies.PromptTags)
	r.checkSources(n, p.Sources)
}

func (r *report) checkSources(n *yaml.Node, sources []Source) {
	for i, s := range sources {
		r.checkText(at(n, "sources", i), "instrument", s.Instrument)
	}
}

func (r *report) checkDemonstration(n *yaml.Node, demo Demonstration) {
	r.checkText(n, "prompt", demo.Prompt)
	r.checkText(n, "response", demo.Response)
	r.checkText(n, "critique", demo.Critique)
	r.checkText(n, "revision", demo.Revision)
	r.checkText(n, "principle", demo.Principle)
}

func (r *report) checkJudgement(n *yaml.Node, j Judgement) {
	r.checkText(n, "prompt", j.Prompt)
	r.checkText(n, "principle", j.Principle)
	r.checkText(n, "a", j.A)
	r.checkText(n, "b", j.B)
	if j.A != "" && j.A == j.B {
		r.add(at(n, "b"), "both responses are the same")
	}
	switch j.Better {
	case SideA, SideB:
	case "":
		r.checkText(n, "better", "")
	default:
		r.add(at(n, "better"), "better is %q; it is a or b, the response that keeps better to the principle", j.Better)
	}
	switch j.Use {
	case "", UseTest:
	default:
		r.add(at(n, "use"), "use is %q; it is show, where the judge is to see the judgement, or test, where it is to be asked it", j.Use)
	}
}

func (r *report) checkIDs(n *yaml.Node, key, what string, ids []string) {
	for i, id := range ids {
		r.checkID(at(n, key, i), what, id)
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
	trim(&d.Name, &d.Version, &d.Language, &d.Title, &d.Description, &d.Unsourced,
		&d.Prompts.CritiqueRequest, &d.Prompts.RevisionRequest, &d.Prompts.JudgeInstruction, &d.Prompts.VerdictRequest)
	for i := range d.Extends {
		trim(&d.Extends[i])
	}
	for i := range d.Principles {
		p := &d.Principles[i]
		trim(&p.ID, &p.Title, &p.Text, &p.CritiqueRequest, &p.RevisionRequest, &p.JudgeInstruction, &p.VerdictRequest, &p.Reason)
	}
	for i := range d.Demonstrations {
		m := &d.Demonstrations[i]
		trim(&m.Prompt, &m.Response, &m.Principle, &m.Critique, &m.Revision)
	}
	for i := range d.Judgements {
		j := &d.Judgements[i]
		trim(&j.Prompt, &j.Principle, &j.A, &j.B, &j.Reasons)
		if j.Use == UseShow {
			j.Use = "" // as in documents that do not say
		}
	}
}

func (d *Document) ids() []string {
	ids := make([]string, len(d.Principles))
	for i, p := range d.Principles {
		ids[i] = p.ID
	}
	return ids
}
