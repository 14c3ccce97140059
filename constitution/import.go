package constitution

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Imported is what files of another shape hold.
type Imported struct {
	files []string
	pairs []requestPair
	demos []importedDemo
	// leftOut are the parts that a constitution has no place for.
	leftOut []string
}

// requestPair are the requests of one rule.
type requestPair struct {
	id                 string
	critique, revision string
	shown              bool // only a demonstration uses it
}

// importedDemo is a demonstration and the requests that it was made with.
type importedDemo struct {
	Demonstration
	requestPair
}

// Add reads a JSON file in the shape of the CAI paper's repository, of llm-swarm, or of pairs in general. It fails where the
// file has another shape.
func (im *Imported) Add(file string, data []byte) error {
	im.files = append(im.files, file)
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if err := im.add(data); err != nil {
		return fmt.Errorf("importing %s: %w", file, err)
	}
	return nil
}

// importable reports whether a file has a shape that can be imported.
func importable(file string, data []byte) bool {
	var im Imported
	return im.Add(file, data) == nil && len(im.pairs)+len(im.demos) > 0
}

// Document makes a constitution of what was read: YAML that can be loaded.
func (im *Imported) Document(name string) ([]byte, error) {
	if len(im.pairs)+len(im.demos) == 0 {
		return nil, fmt.Errorf("%s: no critique and revision requests were found", strings.Join(im.files, ", "))
	}
	from := strings.Join(im.files, ", ")
	d := &Document{Name: name, Title: "Imported from " + from, Unsourced: "Imported from " + from + ", which names no sources."}
	d.Demonstrations = im.demonstrations()
	ids := map[string]bool{}
	for _, p := range im.pairs {
		d.Principles = append(d.Principles, p.principle(ids))
	}
	for i, demo := range im.demos {
		at := slices.IndexFunc(im.pairs, func(p requestPair) bool { return p.critique == demo.critique && p.revision == demo.revision })
		d.Demonstrations[i].Principle = d.Principles[at].ID
	}
	text, err := im.yaml(d)
	if err != nil {
		return nil, fmt.Errorf("writing constitution %s: %w", name, err)
	}
	if _, err := Parse(name+extension, text); err != nil {
		return nil, fmt.Errorf("%s makes no constitution: %w", from, err)
	}
	return text, nil
}

// demonstrations are those that were read. Requests that only they use become pairs of their own.
func (im *Imported) demonstrations() []Demonstration {
	alone := len(im.pairs) == 0
	var out []Demonstration
	for _, demo := range im.demos {
		if !slices.ContainsFunc(im.pairs, func(p requestPair) bool { return p.critique == demo.critique && p.revision == demo.revision }) {
			demo.shown = !alone
			im.pairs = append(im.pairs, demo.requestPair)
		}
		out = append(out, demo.Demonstration)
	}
	return out
}

// shownTag is of principles that only demonstrations use.
const shownTag = "shown"

// principle is the rule of the pair, with an id that is not taken.
func (p requestPair) principle(taken map[string]bool) Principle {
	id := strings.Trim(notIdentifier.ReplaceAllString(strings.ToLower(p.id), "-"), "-")
	if id == "" {
		id = "rule"
	}
	free := id
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", id, n)
	}
	taken[free] = true
	out := Principle{ID: free, Text: p.critique, CritiqueRequest: p.critique, RevisionRequest: p.revision, Weight: 1}
	if p.shown {
		out.Weight, out.Tags = 0, []string{shownTag}
	}
	return out
}

var notIdentifier = regexp.MustCompile(`[^a-z0-9]+`)

// yaml writes the document, and above it what to do with it.
func (im *Imported) yaml(d *Document) ([]byte, error) {
	var root yaml.Node
	if err := root.Encode(d); err != nil {
		return nil, err
	}
	prune(&root)
	for _, p := range child(&root, "principles").Content {
		pruneWeight(p)
	}
	notes := []string{
		"Imported from " + strings.Join(im.files, ", ") + ".",
		"The texts of the principles are their critique requests: say what the rules are, if you like.",
		`For a judge add, with words of your own: prompts: {judge_instruction: "Which response keeps better to this rule? {text}"}`,
	}
	if slices.ContainsFunc(im.pairs, func(p requestPair) bool { return p.shown }) {
		notes = append(notes, "Principles with the tag "+shownTag+" are only those of demonstrations, and are not drawn.")
	}
	root.HeadComment = strings.Join(append(notes, im.leftOut...), "\n")
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := enc.Encode(&root)
	return out.Bytes(), errors.Join(err, enc.Close())
}

// pruneWeight leaves out a weight that is the default.
func pruneWeight(p *yaml.Node) {
	for i := 0; i+1 < len(p.Content); i += 2 {
		if p.Content[i].Value == "weight" && p.Content[i+1].Value == "1" {
			p.Content = slices.Delete(p.Content, i, i+2)
			return
		}
	}
}
