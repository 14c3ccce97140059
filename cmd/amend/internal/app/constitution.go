package app

import (
	"fmt"
	"slices"

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

// LintConfig says what Lint looks at.
type LintConfig struct {
	Constitution []string `yaml:"constitution"` // layers
	Prompts      string   `yaml:"prompts"`      // whose tags the principles are to be reached by; empty: none
}

// LintReport is what Lint found.
type LintReport struct {
	Findings []constitution.Finding `json:"findings"`
}

// Lint finds what is valid in a constitution and probably not meant. The error is failure.ErrDiffers where it finds
// something, and then the report is whole.
func Lint(env Env, c LintConfig) (LintReport, error) {
	doc, err := Constitution(c.Constitution...)
	if err != nil {
		return LintReport{}, err
	}
	var tags []string
	if c.Prompts != "" {
		set, err := prompts.Read(c.Prompts, env.Stdin, prompts.Options{})
		if err != nil {
			return LintReport{}, failure.Input(err)
		}
		tags = set.Tags()
	}
	findings := constitution.Lint(doc, tags)
	if len(findings) > 0 {
		return LintReport{findings}, failure.ErrDiffers
	}
	return LintReport{Findings: []constitution.Finding{}}, nil
}
