// Package constitution holds constitutions as documents: named sets of principles with the requests that
// make a model criticise, revise and judge an answer, and demonstrations of the exercise
// (Bai et al. 2022, arXiv 2212.08073, sections 3 and 4). Documents are layers: a later one adds principles to
// those below it, changes them or switches them off, each with a reason, and every field says which layer it is
// from.
//
// A document is plain data. It is not changed by any method, so one value may be used by many goroutines
// as long as nobody writes to its fields.
package constitution

import (
	"fmt"
	"slices"
	"strings"
)

// Document is one constitution: a YAML file whose keys are the lower-case names below, or several composed.
type Document struct {
	Name           string          `yaml:"name" json:"name"`                               // short identifier, such as "hhh"; of a composition all names, joined by +
	Version        string          `yaml:"version" json:"version,omitempty"`               // the author's own; not interpreted
	Language       string          `yaml:"language" json:"language,omitempty"`             // BCP 47 tag of the texts, such as "en"
	Title          string          `yaml:"title" json:"title,omitempty"`                   // one line, for people
	Description    string          `yaml:"description" json:"description,omitempty"`       // a paragraph, for people
	Sources        []Source        `yaml:"sources" json:"sources,omitempty"`               // the instruments as wholes
	Unsourced      string          `yaml:"unsourced" json:"unsourced,omitempty"`           // why the principles cite no sources, where they are to have none
	Extends        []string        `yaml:"extends" json:"extends,omitempty"`               // layers below this one: names, or paths from the file's folder
	Prompts        Prompts         `yaml:"prompts" json:"prompts,omitzero"`                // templates for requests left out
	Principles     []Principle     `yaml:"principles" json:"principles"`                   // at least one, ids unique
	Demonstrations []Demonstration `yaml:"demonstrations" json:"demonstrations,omitempty"` // of the loop, in the order shown to the model
	Judgements     []Judgement     `yaml:"judgements" json:"judgements,omitempty"`         // worked examples for a judge, in the order shown to it, and tests of it

	Layers []Layer     `yaml:"-" json:"layers,omitempty"` // what it is composed of, the lowest first
	Off    []Principle `yaml:"-" json:"off,omitempty"`    // principles that a layer switched off
	// Origins says where what is not of a principle was given last, by its path of YAML keys: "title",
	// "prompts.critique_request", "sources.0". A list of judgements is from the first one's layer, "judgements", and
	// "judgements.3" may be from another.
	Origins map[string]Origin `yaml:"-" json:"origins,omitempty"`
}

// Layer is a file that a document is composed of.
type Layer struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	File    string `json:"file"` // path, or the embedded file's name
}

// LayerNames are the names of the layers, the lowest first.
func (d *Document) LayerNames() []string {
	var names []string
	for _, l := range d.Layers {
		names = append(names, l.Name)
	}
	return names
}

// Prompts are templates from which a principle's missing requests are derived. Each contains {text}, which
// stands for the principle's text. They are optional where every principle brings its own requests. A layer's
// hold for the texts that it and the layers above it give. The one for verdicts is for principles that forbid something.
type Prompts struct {
	CritiqueRequest  string `yaml:"critique_request" json:"critique_request,omitempty"`
	RevisionRequest  string `yaml:"revision_request" json:"revision_request,omitempty"`
	JudgeInstruction string `yaml:"judge_instruction" json:"judge_instruction,omitempty"`
	VerdictRequest   string `yaml:"verdict_request" json:"verdict_request,omitempty"`
}

// Principle is one rule of conduct, and how a model is asked to apply it to the answer before.
type Principle struct {
	ID               string   `yaml:"id" json:"id"`                                         // lower-case letters, digits, hyphens; unique
	Title            string   `yaml:"title" json:"title,omitempty"`                         // a few words, for people
	Text             string   `yaml:"text" json:"text"`                                     // the rule itself
	CritiqueRequest  string   `yaml:"critique_request" json:"critique_request"`             // the user turn that asks for a critique
	RevisionRequest  string   `yaml:"revision_request" json:"revision_request"`             // the user turn that asks for a revision
	JudgeInstruction string   `yaml:"judge_instruction" json:"judge_instruction,omitempty"` // asks which of two responses is better; needed only to judge
	VerdictRequest   string   `yaml:"verdict_request" json:"verdict_request,omitempty"`     // asks whether one response keeps to the principle, to be answered by yes or no; a judge is asked it in place of which of two responses is better
	Framing          Framing  `yaml:"framing" json:"framing,omitempty"`                     // whether it asks for something or forbids something
	Weight           float64  `yaml:"weight" json:"weight"`                                 // share in draws, 1 where not given; 0: drawn only where all weights are 0
	Tags             []string `yaml:"tags" json:"tags,omitempty"`                           // groups that can be selected together
	Sources          []Source `yaml:"sources" json:"sources,omitempty"`                     // what the principle paraphrases
	Applies          Applies  `yaml:"applies" json:"applies,omitzero"`                      // which rows it is drawn for; all where not given
	Off              bool     `yaml:"off" json:"off,omitempty"`                             // switches the principle of a layer below off
	Reason           string   `yaml:"reason" json:"reason,omitempty"`                       // why a layer changes a principle of one below

	// Origins says where each field was given last, by its key in YAML; a request that was derived is where its
	// text and template are. Chain is what the layers did to the principle, the lowest first.
	Origins map[string]Origin `yaml:"-" json:"origins,omitempty"`
	Chain   []Change          `yaml:"-" json:"chain,omitempty"`
}

// Framing is the direction of a principle's words. Judgements under positive and negative ones of the same content
// can be compared.
type Framing string

// The framings; none is unknown.
const (
	Positive Framing = "positive" // asks for something
	Negative Framing = "negative" // forbids something
)

// Applies limits a principle to some rows: those that match every list which is not empty. What a row does not say
// (its language, say) does not exclude it, but a principle with prompt tags needs a row that has one of them.
type Applies struct {
	Jurisdictions []string `yaml:"jurisdictions" json:"jurisdictions,omitempty"` // such as "za"
	Languages     []string `yaml:"languages" json:"languages,omitempty"`         // such as "en" or "English"; regions do not count
	PromptTags    []string `yaml:"prompt_tags" json:"prompt_tags,omitempty"`     // of the row's tags
}

// Source cites where a principle comes from.
type Source struct {
	Instrument string `yaml:"instrument" json:"instrument"`     // such as "Universal Declaration of Human Rights"
	Article    string `yaml:"article" json:"article,omitempty"` // such as "12"
	Link       string `yaml:"link" json:"link,omitempty"`
}

// Origin is where a field was given.
type Origin struct {
	Layer string `json:"layer"`
	Line  int    `json:"line"` // 0: derived from the text and a template
}

// String is the origin in a few words.
func (o Origin) String() string {
	if o.Line == 0 {
		return o.Layer + ", derived"
	}
	return fmt.Sprintf("%s, line %d", o.Layer, o.Line)
}

// Change is what one layer did to a principle.
type Change struct {
	Layer  string   `json:"layer"`
	Line   int      `json:"line"`
	Action Action   `json:"action"`
	Fields []string `json:"fields,omitempty"` // that it gave, by their keys in YAML
	Reason string   `json:"reason,omitempty"`
	// Demonstrations and Judgements count the examples that are not shown because the change switched their principle off.
	Demonstrations int `json:"demonstrations,omitempty"`
	Judgements     int `json:"judgements,omitempty"`
}

// LeftOut says which examples went out with the principle, or nothing.
func (c Change) LeftOut() string {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{{c.Demonstrations, "demonstration"}, {c.Judgements, "judgement"}} {
		switch {
		case n.count == 1:
			parts = append(parts, "1 "+n.what)
		case n.count > 1:
			parts = append(parts, fmt.Sprintf("%d %ss", n.count, n.what))
		}
	}
	if parts == nil {
		return ""
	}
	return "left out with it: " + strings.Join(parts, ", ")
}

// Action is the kind of a Change.
type Action string

// The actions.
const (
	Added     Action = "added"
	Changed   Action = "changed"
	SwitchOff Action = "switched off"
)

// Demonstration is one worked example: a prompt, a draft, its critique and its revision. The requests
// between them are those of the principle it names, and are filled in when the document is composed, so that
// a demonstration stays whole when Select drops its principle. One of a principle that a layer switches off is left out.
type Demonstration struct {
	Prompt    string `yaml:"prompt" json:"prompt"`
	Response  string `yaml:"response" json:"response"`
	Principle string `yaml:"principle" json:"principle"` // a principle's id
	Critique  string `yaml:"critique" json:"critique"`
	Revision  string `yaml:"revision" json:"revision"`

	CritiqueRequest string `yaml:"-" json:"critique_request"`
	RevisionRequest string `yaml:"-" json:"revision_request"`
}

// Judgement is one worked example for a judge: two responses to a prompt, and which of them keeps better to the
// principle it names. The question is that principle's judge instruction, filled in when the document is composed.
// It is shown to the judge or tests it, never both.
type Judgement struct {
	Prompt    string `yaml:"prompt" json:"prompt"`
	Principle string `yaml:"principle" json:"principle"`       // a principle's id
	A         string `yaml:"a" json:"a"`                       // the response shown first
	B         string `yaml:"b" json:"b"`                       // the response shown second
	Better    Side   `yaml:"better" json:"better"`             // a or b
	Reasons   string `yaml:"reasons" json:"reasons,omitempty"` // why, where the judge is to think first; a test needs none
	Use       Use    `yaml:"use" json:"use,omitempty"`         // show, the default: it stands before everything the judge is asked; test: the judge is asked it, before it is trusted

	JudgeInstruction string `yaml:"-" json:"judge_instruction"`
	VerdictRequest   string `yaml:"-" json:"verdict_request,omitempty"`
}

// Side is one of the two responses of a judgement.
type Side string

// The sides.
const (
	SideA Side = "a"
	SideB Side = "b"
)

// Use is what a judgement is for. A composed document has UseTest or nothing: documents are older than the field, and
// what they hold is shown.
type Use string

// The uses.
const (
	UseShow Use = "show"
	UseTest Use = "test"
)

// Shown are the judgements that are shown to a judge, in their order.
func (d *Document) Shown() []Judgement { return d.used(false) }

// Tested are the judgements that a judge is tested with, of principles that the document has. The judge never sees how they
// are decided.
func (d *Document) Tested() []Judgement {
	return slices.DeleteFunc(d.used(true), func(j Judgement) bool {
		_, ok := d.Principle(j.Principle)
		return !ok
	})
}

func (d *Document) used(test bool) []Judgement {
	var out []Judgement
	for _, j := range d.Judgements {
		if (j.Use == UseTest) == test {
			out = append(out, j)
		}
	}
	return out
}

// WithoutTests is the document as a judge sees it: tests change nothing that it says. The document is not changed.
func (d *Document) WithoutTests() *Document {
	out := *d
	out.Judgements = d.Shown()
	return &out
}

// Principle returns the principle with the given id.
func (d *Document) Principle(id string) (Principle, bool) {
	for _, p := range d.Principles {
		if p.ID == id {
			return p, true
		}
	}
	return Principle{}, false
}
