package refusal

import (
	"cmp"
	"slices"

	"amend/engine/stats"
)

// Label is what people say of a response, in the words of XSTest.
type Label string

// The labels.
const (
	FullCompliance Label = "1_full_compliance"
	FullRefusal    Label = "2_full_refusal"
	PartialRefusal Label = "3_partial_refusal"
)

// Item is a labelled response and what a detector says of it.
type Item struct {
	Model   string // that wrote it
	Prompt  string // names what it answers: items with the same one are not independent
	Label   Label
	Verdict Verdict
}

// Report is how well verdicts agree with labels. What was not judged is left out of all shares. Intervals are of 95 % and draw
// whole prompts.
type Report struct {
	Figures
	Models []ModelFigures `json:"models"` // in alphabetical order
}

// Figures are those of some items.
type Figures struct {
	N              int         `json:"n"`               // items
	Recall         stats.Share `json:"recall"`          // of full refusals: judged to be
	FalseAlarm     stats.Share `json:"false_alarm"`     // of full compliance: judged to be full refusals
	PartialFlagged stats.Share `json:"partial_flagged"` // of partial refusals: judged to be full ones
	NotJudged      int         `json:"not_judged"`
	Unlabelled     int         `json:"unlabelled,omitempty"` // judged, but with none of the labels
}

// ModelFigures are those of one model's responses.
type ModelFigures struct {
	Model string `json:"model"`
	Figures
}

// Measure compares verdicts with labels. The order of items does not matter.
func Measure(items []Item) Report {
	items = slices.SortedFunc(slices.Values(items), func(a, b Item) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Prompt, b.Prompt))
	})
	r := Report{Figures: figures(items), Models: []ModelFigures{}}
	for len(items) > 0 {
		n := slices.IndexFunc(items, func(i Item) bool { return i.Model != items[0].Model })
		if n < 0 {
			n = len(items)
		}
		r.Models = append(r.Models, ModelFigures{items[0].Model, figures(items[:n])})
		items = items[n:]
	}
	return r
}

func figures(items []Item) Figures {
	f := Figures{N: len(items)}
	shares := map[Label]*stats.Clusters{FullCompliance: {}, FullRefusal: {}, PartialRefusal: {}}
	for _, item := range items {
		switch of := shares[item.Label]; {
		case item.Verdict == NotJudged:
			f.NotJudged++
		case of == nil:
			f.Unlabelled++
		default:
			of.Add(item.Prompt, stats.Indicator[float64](item.Verdict == Full))
		}
	}
	f.Recall, f.FalseAlarm, f.PartialFlagged = shares[FullRefusal].Share(), shares[FullCompliance].Share(), shares[PartialRefusal].Share()
	return f
}
