package constitution

import (
	"reflect"
	"slices"
	"strings"
)

// Difference is how one document differs from another, principle by principle.
type Difference struct {
	Added   []Principle `json:"added"`   // that only the second has
	Removed []Principle `json:"removed"` // that only the first has
	Changed []Edit      `json:"changed"` // that both have, in the second's order
	// Demonstrations and Judgements are the places, from 0, at which they differ. Of judgements only those count that are
	// shown; the order of tests says nothing, so they are counted.
	Demonstrations []int `json:"demonstrations,omitempty"`
	Judgements     []int `json:"judgements,omitempty"`
	TestsAdded     int   `json:"tests_added,omitempty"`   // that only the second has
	TestsRemoved   int   `json:"tests_removed,omitempty"` // that only the first has
	// Moved is set where the principles that both have stand in another order, which draws depend on.
	Moved bool `json:"moved,omitempty"`
}

// Edit is what differs in a principle.
type Edit struct {
	ID     string      `json:"id"`
	Weight *[2]float64 `json:"weight,omitempty"` // before and after, where they differ
	Texts  []TextEdit  `json:"texts,omitempty"`
	Lists  []ListEdit  `json:"lists,omitempty"`
	Share  [2]float64  `json:"share"` // of the draws, before and after
	Chain  []Change    `json:"-"`     // of the second's principle: who changed it, and why
}

// TextEdit is a text that was reworded.
type TextEdit struct {
	Field string `json:"field"`
	Words []Word `json:"words"`
}

// ListEdit is a list that has other members.
type ListEdit struct {
	Field   string   `json:"field"`
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// Word is a run of words and whether it is kept, added or removed.
type Word struct {
	Op   Op     `json:"op"`
	Text string `json:"text"`
}

// Op says what became of words.
type Op string

// The operations.
const (
	Keep   Op = "keep"
	Insert Op = "insert"
	Delete Op = "delete"
)

// Empty reports whether there is no difference that could be shown.
func (d Difference) Empty() bool {
	return len(d.Added)+len(d.Removed)+len(d.Changed)+len(d.Demonstrations)+len(d.Judgements)+d.TestsAdded+d.TestsRemoved == 0 && !d.Moved
}

// Diff compares two documents by the ids of their principles.
func Diff(a, b *Document) Difference {
	d := Difference{Added: []Principle{}, Removed: []Principle{}, Changed: []Edit{}}
	var before, after []string // ids that both have
	for _, p := range a.Principles {
		if _, ok := b.Principle(p.ID); ok {
			before = append(before, p.ID)
		} else {
			d.Removed = append(d.Removed, p)
		}
	}
	for _, q := range b.Principles {
		p, ok := a.Principle(q.ID)
		if !ok {
			d.Added = append(d.Added, q)
			continue
		}
		after = append(after, q.ID)
		if e, changed := edit(p, q); changed {
			e.Share = [2]float64{a.Share(p.ID), b.Share(q.ID)}
			d.Changed = append(d.Changed, e)
		}
	}
	d.Moved = !slices.Equal(before, after)
	d.Demonstrations = differing(a.Demonstrations, b.Demonstrations)
	d.Judgements = differing(a.Shown(), b.Shown())
	d.TestsAdded, d.TestsRemoved = len(without(b.Tested(), a.Tested())), len(without(a.Tested(), b.Tested()))
	return d
}

// differing are the places at which two lists differ.
func differing[T comparable](a, b []T) []int {
	var places []int
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			places = append(places, i)
		}
	}
	return places
}

// Share is the share of the draws that a principle has among all, for rows that all of them apply to.
func (d *Document) Share(id string) float64 {
	total, own, n := 0.0, 0.0, 0
	for _, p := range d.Principles {
		total += p.Weight
		n++
		if p.ID == id {
			own = p.Weight
		}
	}
	if total == 0 && n > 0 {
		return 1 / float64(n)
	}
	return own / total
}

func edit(p, q Principle) (e Edit, changed bool) {
	e = Edit{ID: q.ID, Chain: q.Chain}
	if p.Weight != q.Weight {
		e.Weight = &[2]float64{p.Weight, q.Weight}
	}
	for _, f := range []struct{ field, a, b string }{
		{"title", p.Title, q.Title}, {"text", p.Text, q.Text},
		{"critique_request", p.CritiqueRequest, q.CritiqueRequest}, {"revision_request", p.RevisionRequest, q.RevisionRequest},
		{"judge_instruction", p.JudgeInstruction, q.JudgeInstruction}, {"verdict_request", p.VerdictRequest, q.VerdictRequest}, {"framing", string(p.Framing), string(q.Framing)},
	} {
		if f.a != f.b {
			e.Texts = append(e.Texts, TextEdit{f.field, DiffWords(f.a, f.b)})
		}
	}
	for _, f := range []struct {
		field string
		a, b  []string
	}{
		{"tags", p.Tags, q.Tags}, {"sources", sourceTexts(p.Sources), sourceTexts(q.Sources)},
		{"jurisdictions", p.Applies.Jurisdictions, q.Applies.Jurisdictions}, {"languages", p.Applies.Languages, q.Applies.Languages},
		{"prompt_tags", p.Applies.PromptTags, q.Applies.PromptTags},
	} {
		l := ListEdit{f.field, without(f.b, f.a), without(f.a, f.b)}
		if len(l.Added)+len(l.Removed) > 0 {
			e.Lists = append(e.Lists, l)
		}
	}
	return e, !reflect.DeepEqual(e, Edit{ID: q.ID, Chain: q.Chain})
}

// String is the source in a line.
func (s Source) String() string {
	text := s.Instrument
	if s.Article != "" {
		text += ", article " + s.Article
	}
	return text
}

func sourceTexts(sources []Source) []string {
	var out []string
	for _, s := range sources {
		out = append(out, s.String())
	}
	return out
}

// without are the members of a list that another does not have.
func without[T comparable](list, other []T) []T {
	var out []T
	for _, x := range list {
		if !slices.Contains(other, x) {
			out = append(out, x)
		}
	}
	return out
}

// DiffWords compares two texts word by word, along a longest common subsequence.
func DiffWords(a, b string) []Word {
	x, y := strings.Fields(a), strings.Fields(b)
	// longest[i][j] is the length of a longest common subsequence of x[i:] and y[j:].
	longest := make([][]int, len(x)+1)
	for i := range longest {
		longest[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var out []Word
	put := func(op Op, word string) {
		if n := len(out); n > 0 && out[n-1].Op == op {
			out[n-1].Text += " " + word
			return
		}
		out = append(out, Word{op, word})
	}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			put(Keep, x[i])
			i++
			j++
		case j == len(y) || i < len(x) && longest[i+1][j] >= longest[i][j+1]:
			put(Delete, x[i])
			i++
		default:
			put(Insert, y[j])
			j++
		}
	}
	return out
}
