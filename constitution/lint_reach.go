package constitution

import (
	"fmt"
	"slices"
	"strings"
)

// unreachable reports a principle that no row could draw.
func (l *linter) unreachable(p Principle) {
	if p.Weight == 0 && len(p.Tags) == 0 && l.doc.Share(p.ID) == 0 {
		l.add(Error, p, "weight", "unreachable", "has the weight 0 and no tag to select it by")
	}
}

// languages reports a language that no row can be in.
func (l *linter) languages(p Principle) {
	for _, language := range p.Applies.Languages {
		if !knownLanguage(language) {
			l.add(Warning, p, "applies", "unknown-language", "is for the language %q, which is neither a tag such as en nor an English name", language)
		}
	}
}

// rowKind are the rows that are about the same.
type rowKind struct {
	Attributes
	first, n int // the first one's place, and how many there are
}

// kinds are those of rows, in the order of the first of each.
func kinds(rows []Attributes) []rowKind {
	places := map[string]int{}
	var out []rowKind
	for i, w := range rows {
		key := fmt.Sprintf("%q %q %q", w.Language, w.Jurisdiction, w.Tags)
		at, ok := places[key]
		if !ok {
			at = len(out)
			places[key] = at
			out = append(out, rowKind{Attributes: w, first: i})
		}
		out[at].n++
	}
	return out
}

// rows reports principles that apply to none of the rows, and rows that none applies to.
func (l *linter) rows(rows []Attributes) {
	all := kinds(rows)
	applies := map[int]bool{} // by the principle's place
	var without []rowKind
	lost := 0 // rows
	for _, w := range all {
		among, _ := l.doc.applying(w.Attributes)
		if len(among) == 0 {
			without = append(without, w)
			lost += w.n
		}
		for _, at := range among {
			applies[at] = true
		}
	}
	for i, p := range l.doc.Principles {
		if !applies[i] {
			l.add(Error, p, "applies", "unreachable", "%s", p.unreached(all, len(rows)))
		}
	}
	if lost > 0 {
		w := without[0]
		l.addDocument(Error, "", "no-principle", "no principle applies to %d of %d rows; the first is row %d, whose tags are %q, language %q, jurisdiction %q", lost, len(rows), w.first+1, w.Tags, w.Language, w.Jurisdiction)
	}
}

// unreached says why a principle applies to none of n rows.
func (p Principle) unreached(rows []rowKind, n int) string {
	a := p.Applies
	none := func(applies func(rowKind) bool) bool { return !slices.ContainsFunc(rows, applies) }
	switch {
	case len(rows) == 0:
		return "no row draws it: the input has no rows"
	case none(func(w rowKind) bool { return a.toTags(w.Tags) }):
		return fmt.Sprintf("is for prompts with the tag %s, and no prompt has it%s", strings.Join(a.PromptTags, " or "), found(rows, func(w rowKind) []string { return w.Tags }))
	case none(func(w rowKind) bool { return a.toLanguage(w.Language) }):
		return fmt.Sprintf("is for prompts in the language %s, and all say another one%s", strings.Join(a.Languages, " or "), found(rows, func(w rowKind) []string { return []string{w.Language} }))
	case none(func(w rowKind) bool { return a.toJurisdiction(w.Jurisdiction) }):
		return fmt.Sprintf("is for the jurisdiction %s, and all prompts say another one%s", strings.Join(a.Jurisdictions, " or "), found(rows, func(w rowKind) []string { return []string{w.Jurisdiction} }))
	}
	return fmt.Sprintf("none of %d prompts meets all that it applies to", n)
}

// found lists what rows say, up to a few.
func found(rows []rowKind, of func(rowKind) []string) string {
	const most = 5
	seen := map[string]bool{"": true}
	var all []string
	for _, w := range rows {
		for _, text := range of(w) {
			if !seen[text] {
				seen[text] = true
				all = append(all, text)
			}
		}
	}
	switch {
	case len(all) == 0:
		return ""
	case len(all) > most:
		return fmt.Sprintf("; there are %s and %d more", strings.Join(all[:most], ", "), len(all)-most)
	}
	return "; there are " + strings.Join(all, ", ")
}
