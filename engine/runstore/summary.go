package runstore

import (
	"iter"

	"amend/engine"
	"amend/engine/check"
	"amend/engine/revise"
)

// Summary counts what finished rows hold. Turns, ends, flags and tokens are those of all rows, failed ones
// up to their failure included. The zero value is an empty summary.
type Summary struct {
	Rows      int `json:"rows"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`

	Turns     int                `json:"turns"`
	Revisions int                `json:"revisions"` // turns that are revisions
	Ends      map[engine.End]int `json:"ends"`      // turns, by how they ended
	Flags     map[check.Flag]int `json:"flags"`     // turns, by what the checks found

	Prompt      int `json:"prompt_tokens"`  // of all turns, computed or reused
	Reused      int `json:"reused_tokens"`  // of these, found in the KV cache
	Decoded     int `json:"decoded_tokens"` // sampled
	Retokenized int `json:"retokenized"`    // kept tokens that were made again from text

	Gate *GateSummary `json:"gate,omitempty"` // nil where no row passed one
}

// begin makes the maps, with every end and flag in them, so that a 0 is seen.
func (s *Summary) begin() {
	if s.Ends != nil {
		return
	}
	s.Ends = map[engine.End]int{engine.EndToken: 0, engine.EndStop: 0, engine.EndLength: 0, revise.EndGiven: 0}
	s.Flags = map[check.Flag]int{}
	for _, f := range check.Flags() {
		s.Flags[f] = 0
	}
}

// Add counts one row.
func (s *Summary) Add(rec revise.Record) {
	s.begin()
	s.Rows++
	if rec.Error != "" {
		s.Failed++
	} else {
		s.Completed++
	}
	if rec.Gated != nil {
		if s.Gate == nil {
			s.Gate = newGateSummary()
		}
		s.Gate.add(rec)
	}
	for _, t := range rec.Turns {
		s.Turns++
		if t.Kind == revise.Revision {
			s.Revisions++
		}
		s.Ends[t.End]++
		for _, f := range t.Flags {
			s.Flags[f]++
		}
		s.Prompt += t.Prompt
		s.Reused += t.Reused
		s.Decoded += t.Decoded
		s.Retokenized += t.Retokenized
	}
}

// Summarize counts rows as Read and Run.Rows give them.
func Summarize(rows iter.Seq2[revise.Record, error]) (Summary, error) {
	var s Summary
	s.begin()
	for rec, err := range rows {
		if err != nil {
			return s, err
		}
		s.Add(rec)
	}
	return s, nil
}
