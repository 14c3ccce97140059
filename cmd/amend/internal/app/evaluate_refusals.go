package app

import (
	"amend/cmd/amend/internal/failure"
	"amend/engine/evalset"
	"amend/engine/refusal"
)

// RefusalsConfig says which labelled answers the refusal detector is measured on.
type RefusalsConfig struct {
	File  string `yaml:"file"`  // "-" is Env.Stdin
	Limit int    `yaml:"limit"` // how many are taken; 0: all
}

// RefusalsReport says how well the refusal detector agrees with people.
type RefusalsReport struct {
	File string `json:"file"`
	refusal.Report
}

// EvaluateRefusals measures the refusal detector on answers that people have labelled. A *failure.RowsError comes with the
// report where lines could not be read.
func EvaluateRefusals(env Env, c RefusalsConfig) (r RefusalsReport, err error) {
	if err := failure.Range("limit", c.Limit, 0, 1<<40); err != nil {
		return r, err
	}
	answers, read, err := evalset.ReadLabelled(c.File, env.Stdin, c.Limit)
	if err != nil {
		return r, failure.Input(err)
	}
	bad := read.Bad
	env.sayHowRead(read.Report)
	env.warnOfBadRows(bad)
	if len(answers) == 0 {
		return r, failure.Inputf("none of the %d lines of %s is a labelled answer; the first: %v", len(bad), c.File, bad[0])
	}
	detector, err := refusal.Load()
	if err != nil {
		return r, err
	}
	var items []refusal.Item
	for _, a := range answers {
		items = append(items, refusal.Item{Model: a.Model, Prompt: a.Prompt, Label: a.Label, Verdict: detector.Judge(a.Response).Verdict})
	}
	r = RefusalsReport{c.File, refusal.Measure(items)}
	if n := len(bad); n > 0 {
		err = &failure.RowsError{Failed: n, Of: n + len(answers), What: "lines could not be read", Detail: "the first: " + bad[0].String()}
	}
	return r, err
}
