package runstore

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"amend/engine/check"
	"amend/engine/refusal"
	"amend/engine/revise"
)

// Statistics say what the rounds of a run did, and what they did under each principle.
type Statistics struct {
	Summary
	Rounds     []Part `json:"rounds"`     // 0: first responses
	Principles []Part `json:"principles"` // in alphabetical order
}

// Part are the answers of one round or under one principle. Failed rows are in no part.
type Part struct {
	Name     string `json:"name"`     // the round's number, or the principle's id
	Answers  int    `json:"answers"`  // first responses, or revisions except for those that a gate refused
	Changed  int    `json:"changed"`  // of revisions: that differ from their draft
	Refusals int    `json:"refusals"` // that decline in full, as package refusal judges
	// NotJudged are answers of which nobody says whether they decline: they are not in English, or empty.
	NotJudged int                `json:"refusals_not_judged,omitempty"`
	Words     float64            `json:"words"`    // of an answer, in the mean
	Distinct  float64            `json:"distinct"` // share of word triples that are different, over the first answers
	Flags     map[check.Flag]int `json:"flags"`    // of answers and critiques
	Prompt    int                `json:"prompt_tokens"`
	Reused    int                `json:"reused_tokens"`
	Decoded   int                `json:"decoded_tokens"`
	// Proposals are revisions that passed or failed a gate.
	Proposals int `json:"proposals,omitempty"`
}

// distinctOver is how many answers of a part count for Distinct: the share falls with their number, and memory must
// not grow with the run.
const distinctOver = 1000

// part counts a Part.
type part struct {
	Part
	words   int
	triples map[[3]string]bool
	all     int // word triples
}

func (p *part) add(t revise.Turn, draft string, judge *refusal.Detector) {
	if t.Kind == revise.Critique || t.IsAnswer() {
		for _, f := range t.Flags {
			p.Flags[f]++
		}
	}
	p.Prompt += t.Prompt
	p.Reused += t.Reused
	p.Decoded += t.Decoded
	if t.Gate != nil {
		p.Proposals++
	}
	if !t.IsAnswer() {
		return
	}
	p.Answers++
	if t.Kind == revise.Revision && t.Text != draft {
		p.Changed++
	}
	switch judge.Judge(t.Text).Verdict {
	case refusal.Full:
		p.Refusals++
	case refusal.NotJudged:
		p.NotJudged++
	case refusal.None:
	}
	if p.Answers > distinctOver {
		for range strings.FieldsSeq(t.Text) {
			p.words++
		}
		return
	}
	words := strings.Fields(strings.ToLower(t.Text))
	p.words += len(words)
	for i := 0; i+3 <= len(words); i++ {
		p.triples[[3]string(words[i:i+3])] = true
		p.all++
	}
}

func (p *part) finish() Part {
	if p.Answers > 0 {
		p.Words = float64(p.words) / float64(p.Answers)
	}
	if p.all > 0 {
		p.Distinct = float64(len(p.triples)) / float64(p.all)
	}
	return p.Part
}

// Count makes the statistics of rows as Read and Run.Rows give them.
func Count(rows iter.Seq2[revise.Record, error]) (Statistics, error) {
	var s Statistics
	judge, err := refusal.Load()
	if err != nil {
		return s, err
	}
	s.begin()
	rounds, principles := map[int]*part{}, map[string]*part{}
	for rec, err := range rows {
		if err != nil {
			return s, err
		}
		s.Add(rec)
		if rec.Error != "" {
			continue
		}
		draft := ""
		for _, t := range rec.Turns {
			partOf(rounds, t.Round).add(t, draft, judge)
			if t.Principle != "" {
				partOf(principles, t.Principle).add(t, draft, judge)
			}
			if t.IsAnswer() {
				draft = t.Text
			}
		}
	}
	s.Rounds, s.Principles = finish(rounds), finish(principles)
	return s, nil
}

func partOf[K comparable](parts map[K]*part, k K) *part {
	if parts[k] == nil {
		parts[k] = &part{Part: Part{Flags: map[check.Flag]int{}}, triples: map[[3]string]bool{}}
	}
	return parts[k]
}

func finish[K cmp.Ordered](parts map[K]*part) []Part {
	out := []Part{}
	for _, k := range slices.Sorted(maps.Keys(parts)) {
		p := parts[k].finish()
		p.Name = fmt.Sprint(k)
		out = append(out, p)
	}
	return out
}
