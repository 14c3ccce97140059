// Package constitution holds constitutions as documents: named sets of principles with the requests that
// make a model criticise and revise an answer, and few-shot demonstrations of the exercise
// (Bai et al. 2022, arXiv 2212.08073, section 3).
//
// A document is plain data. It is not changed by any method, so one value may be used by many goroutines
// as long as nobody writes to its fields.
package constitution

// Document is one constitution, as read from a YAML file whose keys are the lower-case names below.
type Document struct {
	Name           string          `yaml:"name" json:"name"`                               // short identifier, such as "hhh"
	Version        string          `yaml:"version" json:"version,omitempty"`               // the author's own; not interpreted
	Language       string          `yaml:"language" json:"language,omitempty"`             // BCP 47 tag of the texts, such as "en"
	Title          string          `yaml:"title" json:"title,omitempty"`                   // one line, for people
	Description    string          `yaml:"description" json:"description,omitempty"`       // a paragraph, for people
	Prompts        Prompts         `yaml:"prompts" json:"prompts,omitzero"`                // templates for requests left out
	Principles     []Principle     `yaml:"principles" json:"principles"`                   // at least one, ids unique
	Demonstrations []Demonstration `yaml:"demonstrations" json:"demonstrations,omitempty"` // in the order shown to the model
}

// Prompts are templates from which a principle's missing requests are derived. Each contains {text}, which
// stands for the principle's text. They are optional where every principle brings its own requests.
type Prompts struct {
	CritiqueRequest string `yaml:"critique_request" json:"critique_request,omitempty"`
	RevisionRequest string `yaml:"revision_request" json:"revision_request,omitempty"`
}

// Principle is one rule of conduct, and how a model is asked to apply it to the answer before.
type Principle struct {
	ID              string   `yaml:"id" json:"id"`                             // lower-case letters, digits, hyphens; unique
	Title           string   `yaml:"title" json:"title,omitempty"`             // a few words, for people
	Text            string   `yaml:"text" json:"text"`                         // the rule itself
	CritiqueRequest string   `yaml:"critique_request" json:"critique_request"` // the user turn that asks for a critique
	RevisionRequest string   `yaml:"revision_request" json:"revision_request"` // the user turn that asks for a revision
	Weight          float64  `yaml:"weight" json:"weight"`                     // share in draws, 1 where not given; 0: drawn only where all weights are 0
	Tags            []string `yaml:"tags" json:"tags,omitempty"`               // groups that can be selected together
	Sources         []Source `yaml:"sources" json:"sources,omitempty"`         // what the principle paraphrases
}

// Source cites where a principle comes from.
type Source struct {
	Instrument string `yaml:"instrument" json:"instrument"`     // such as "Universal Declaration of Human Rights"
	Article    string `yaml:"article" json:"article,omitempty"` // such as "12"
	Link       string `yaml:"link" json:"link,omitempty"`
}

// Demonstration is one worked example: a prompt, a draft, its critique and its revision. The two requests
// between them are those of the principle it names, and are filled in when the document is loaded, so that
// a demonstration stays whole when Select drops its principle.
type Demonstration struct {
	Prompt    string `yaml:"prompt" json:"prompt"`
	Response  string `yaml:"response" json:"response"`
	Principle string `yaml:"principle" json:"principle"` // a principle's id
	Critique  string `yaml:"critique" json:"critique"`
	Revision  string `yaml:"revision" json:"revision"`

	CritiqueRequest string `yaml:"-" json:"critique_request"`
	RevisionRequest string `yaml:"-" json:"revision_request"`
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
