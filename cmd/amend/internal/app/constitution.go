package app

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine/prompts"
)

// ConstitutionList are the embedded constitutions.
type ConstitutionList struct {
	Constitutions []ConstitutionSummary `json:"constitutions"`
}

// ConstitutionSummary is a constitution without its texts.
type ConstitutionSummary struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Title      string   `json:"title"`
	Layers     []string `json:"layers"`
	Principles int      `json:"principles"` // how many
}

// Constitutions lists the embedded constitutions.
func Constitutions() (ConstitutionList, error) {
	list := ConstitutionList{Constitutions: []ConstitutionSummary{}}
	for _, name := range constitution.Names() {
		doc, err := constitution.Load(name)
		if err != nil {
			return list, err
		}
		list.Constitutions = append(list.Constitutions, ConstitutionSummary{name, doc.Version, doc.Title, doc.LayerNames(), len(doc.Principles)})
	}
	return list, nil
}

// Constitution composes layers: embedded names, or paths. Its errors are about the user's input.
func Constitution(layers ...string) (*constitution.Document, error) {
	doc, err := constitution.Load(layers...)
	return doc, failure.Input(err)
}

// FindPrinciple returns the principle with an id, also one that is switched off.
func FindPrinciple(doc *constitution.Document, id string) (constitution.Principle, error) {
	if i := slices.IndexFunc(doc.Off, func(p constitution.Principle) bool { return p.ID == id }); i >= 0 {
		return doc.Off[i], nil
	}
	selected, err := doc.Select([]string{id})
	if err != nil {
		return constitution.Principle{}, failure.Input(err)
	}
	if p, ok := selected.Principle(id); ok {
		return p, nil
	}
	return constitution.Principle{}, fmt.Errorf("%q is a tag; %w", id, &failure.FieldError{Field: "principle", Want: "takes the id of one principle"})
}

// CompareConstitutions says what differs between two constitutions.
func CompareConstitutions(from, to string) (constitution.Difference, error) {
	a, err := Constitution(from)
	if err != nil {
		return constitution.Difference{}, err
	}
	b, err := Constitution(to)
	if err != nil {
		return constitution.Difference{}, err
	}
	return constitution.Diff(a, b), nil
}

// NewConstitution writes a document to start one's own from to a new file.
func NewConstitution(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return failure.Inputf("%s is there already: give another name", path)
	}
	if err != nil {
		return failure.Input(err)
	}
	_, err = f.WriteString(constitution.Skeleton(nameOf(path)))
	return errors.Join(err, f.Close())
}

// nameOf is the name of a constitution in a file: the file's, without what no name may hold.
func nameOf(path string) string {
	base := filepath.Base(path)
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, strings.ToLower(strings.TrimSuffix(base, filepath.Ext(base))))
	return cmp.Or(strings.Join(strings.Fields(name), "-"), "mine")
}

// ImportConstitution makes the YAML of a constitution from files of other shapes. It is named after the first, unless a name
// is given.
func ImportConstitution(name string, files ...string) ([]byte, error) {
	var im constitution.Imported
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err == nil {
			err = im.Add(path, data)
		}
		if err != nil {
			return nil, failure.Input(err)
		}
	}
	text, err := im.Document(cmp.Or(name, nameOf(files[0])))
	return text, failure.Input(err)
}

// LintConfig says what Lint looks at.
type LintConfig struct {
	Constitution []string      `yaml:"constitution"` // layers
	Prompts      prompts.Paths `yaml:"prompts"`      // whose rows are to draw the principles; empty: none
}

// LintReport is what Lint found.
type LintReport struct {
	Constitution   string                 `json:"constitution"` // its name
	Principles     int                    `json:"principles"`   // how many it looked at
	Demonstrations int                    `json:"demonstrations"`
	Judgements     int                    `json:"judgements"`
	Rows           int                    `json:"rows,omitempty"`
	Findings       []constitution.Finding `json:"findings"`
}

// Count is how many findings have a level.
func (r LintReport) Count(level constitution.Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// Lint finds what is valid in a constitution and probably not meant. The error is failure.ErrDiffers where it finds
// an error, and then the report is whole.
func Lint(env Env, c LintConfig) (LintReport, error) {
	doc, err := Constitution(c.Constitution...)
	if err != nil {
		return LintReport{}, err
	}
	rows, err := env.attributes(c.Prompts)
	if err != nil {
		return LintReport{}, err
	}
	report := LintReport{
		Constitution: doc.Name, Principles: len(doc.Principles), Demonstrations: len(doc.Demonstrations), Judgements: len(doc.Judgements),
		Rows: len(rows), Findings: append([]constitution.Finding{}, constitution.Lint(doc, rows)...),
	}
	if report.Count(constitution.Error) > 0 {
		err = failure.ErrDiffers
	}
	return report, err
}

// attributes is what the rows of inputs are about; nil for none.
func (e Env) attributes(paths prompts.Paths) ([]constitution.Attributes, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	set, err := prompts.Read(paths, e.Stdin, prompts.Options{})
	if err != nil {
		return nil, failure.Input(err)
	}
	if len(set.Rows) == 0 && len(set.Bad) > 0 {
		return nil, failure.Inputf("none of the rows of %s can be read; the first: %s", paths, set.Bad[0])
	}
	rows := make([]constitution.Attributes, len(set.Rows))
	for i, r := range set.Rows {
		rows[i] = r.Attributes
	}
	return rows, nil
}
