package app

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"amend/cmd/amend/internal/failure"
	"amend/engine/prompts"
)

// validateMap checks which columns hold which fields.
func validateMap(texts []string) error {
	if _, err := prompts.ParseMapping(texts); err != nil {
		return &failure.FieldError{Field: "map", Want: err.Error()}
	}
	return nil
}

// mapping is a setting that validateMap has accepted.
func mapping(texts []string) prompts.Mapping {
	m, _ := prompts.ParseMapping(texts)
	return m
}

// input says how the prompts of a run are read.
func (c RunConfig) input() prompts.Options {
	return prompts.Options{FromResponses: c.FromResponses, Limit: c.Limit, Map: mapping(c.Map)}
}

// pairsHash identifies the pairs that a file with a hash holds: by the hash alone, unless columns are mapped.
func pairsHash(sha string, texts []string) string {
	if len(texts) == 0 {
		return sha
	}
	return fmt.Sprintf("%x", sha256.Sum256([]byte(sha+"\n"+strings.Join(slices.Sorted(slices.Values(texts)), "\n"))))
}

// sayHowRead tells how inputs were read, and what of them was ignored.
func (e Env) sayHowRead(r prompts.Report) { e.Log.Info("read " + r.String()) }
