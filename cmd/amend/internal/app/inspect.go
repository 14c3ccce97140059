package app

import (
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// InspectConfig says what InspectData looks at.
type InspectConfig struct {
	Files         prompts.Paths `yaml:"files"` // "-" is Env.Stdin
	Pairs         bool          `yaml:"pairs"` // read as a preference set
	FromResponses bool          `yaml:"from-responses"`
	Map           []string      `yaml:"map"` // columns of fields (prompts.Mapping)
}

// InspectReport says how inputs are read.
type InspectReport struct {
	prompts.Report
	SHA256 string `json:"sha256"`
	// Rows are prompts, or with InspectConfig.Pairs pairs.
	Rows int `json:"rows"`
	Bad  int `json:"bad"`
	// Reasons are why records cannot be read, the first ones with how many there are of each.
	Reasons []BadReason `json:"reasons"`
	First   *FirstRow   `json:"first"` // nil where nothing can be read
}

// BadReason is why records cannot be read.
type BadReason struct {
	Reason string `json:"reason"`
	File   string `json:"file"` // of the first
	Line   int    `json:"line"`
	Count  int    `json:"count"`
}

// FirstRow is the first row or pair that is read.
type FirstRow struct {
	ID           string         `json:"id"`
	Messages     []chat.Message `json:"messages"`
	Response     *string        `json:"response,omitempty"` // that the row starts from
	Chosen       string         `json:"chosen,omitempty"`
	Rejected     string         `json:"rejected,omitempty"`
	Tags         []string       `json:"tags,omitempty"`
	Language     string         `json:"language,omitempty"`
	Jurisdiction string         `json:"jurisdiction,omitempty"`
}

// InspectData reads inputs as amend run does, or amend feedback does pairs, and says how. A *failure.RowsError comes with the
// report where some records cannot be read, a *failure.InputError where none can.
func InspectData(env Env, c InspectConfig) (r InspectReport, err error) {
	if err := validateMap(c.Map); err != nil {
		return r, err
	}
	var bad []prompts.BadRow
	if c.Pairs {
		set, err := prompts.ReadPairs(c.Files, env.Stdin, prompts.Options{Map: mapping(c.Map), FindID: true})
		if err != nil {
			return r, failure.Input(err)
		}
		r, bad = InspectReport{Report: set.Report, SHA256: set.SHA256, Rows: len(set.Pairs)}, set.Bad
		if len(set.Pairs) > 0 {
			r.First = firstPair(set.Pairs[0])
		}
	} else {
		set, err := prompts.Read(c.Files, env.Stdin, prompts.Options{FromResponses: c.FromResponses, Map: mapping(c.Map), FindID: true})
		if err != nil {
			return r, failure.Input(err)
		}
		r, bad = InspectReport{Report: set.Report, SHA256: set.SHA256, Rows: len(set.Rows)}, set.Bad
		if len(set.Rows) > 0 {
			r.First = firstRow(set.Rows[0])
		}
	}
	r.Bad, r.Reasons = len(bad), reasons(bad)
	switch {
	case r.Rows == 0:
		err = failure.Input(errors.New("no record can be read"))
	case r.Bad > 0:
		err = &failure.RowsError{Failed: r.Bad, Of: r.Bad + r.Rows, What: "records cannot be read"}
	}
	return r, err
}

func firstRow(row revise.Row) *FirstRow {
	a := row.Attributes
	return &FirstRow{ID: row.ID, Messages: row.Messages, Response: row.Response, Tags: a.Tags, Language: a.Language, Jurisdiction: a.Jurisdiction}
}

func firstPair(p feedback.Pair) *FirstRow {
	a := p.Attributes
	return &FirstRow{ID: p.ID, Messages: p.Messages, Chosen: p.First, Rejected: p.Second, Tags: a.Tags, Language: a.Language, Jurisdiction: a.Jurisdiction}
}

// reasons counts bad rows by their reasons, of which it returns the first ones.
func reasons(bad []prompts.BadRow) []BadReason {
	const most = 20
	out, place := []BadReason{}, map[string]int{}
	for _, b := range bad {
		i, known := place[b.Reason]
		switch {
		case known:
			out[i].Count++
		case len(out) < most:
			place[b.Reason] = len(out)
			out = append(out, BadReason{Reason: b.Reason, File: b.File, Line: b.Line, Count: 1})
		}
	}
	return out
}
