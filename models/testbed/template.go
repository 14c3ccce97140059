package testbed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// template is a text with slots in braces, each the name of a kind of filler.
type template struct {
	literals []string // one more than slots, around them
	slots    []string
}

func parseTemplate(text string) template {
	var t template
	for {
		before, rest, ok := strings.Cut(text, "{")
		t.literals = append(t.literals, before)
		if !ok {
			return t
		}
		slot, after, _ := strings.Cut(rest, "}")
		t.slots = append(t.slots, slot)
		text = after
	}
}

func parseTemplates(texts []string) []template {
	var out []template
	for _, text := range texts {
		out = append(out, parseTemplate(text))
	}
	return out
}

// fill returns the text with each slot replaced by what value returns.
func (t template) fill(value func(slot string) string) string {
	var b strings.Builder
	for i, slot := range t.slots {
		b.WriteString(t.literals[i])
		b.WriteString(value(slot))
	}
	b.WriteString(t.literals[len(t.slots)])
	return b.String()
}

// filled is the value of one slot in a text.
type filled struct{ slot, value string }

// match reads text as this template.
func (t template) match(text string, kinds map[string]kind) (values []filled, ok bool) {
	for i, slot := range t.slots {
		if text, ok = strings.CutPrefix(text, t.literals[i]); !ok {
			return nil, false
		}
		n := kinds[slot].match(text)
		if n == 0 {
			return nil, false
		}
		values = append(values, filled{slot, text[:n]})
		text = text[n:]
	}
	return values, text == t.literals[len(t.slots)]
}

// has reports whether the template has the slot.
func (t template) has(slot string) bool {
	for _, s := range t.slots {
		if s == slot {
			return true
		}
	}
	return false
}

// capital returns a text with a capital letter at its start.
func capital(s string) string { return firstRune(s, unicode.ToUpper) }

// lower returns a text with a small letter at its start.
func lower(s string) string { return firstRune(s, unicode.ToLower) }

func firstRune(s string, change func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 || r == utf8.RuneError {
		return s
	}
	return string(change(r)) + s[n:]
}

// sentences cuts a text at its sentence ends (. and ?), which stay with the sentences; at is where each begins.
// What follows the last end is a sentence of its own.
func sentences(text string) (list []string, at []int) {
	start := 0
	for i := 0; i < len(text); i++ {
		last := i == len(text)-1
		if !last && !((text[i] == '.' || text[i] == '?') && text[i+1] == ' ') {
			continue
		}
		list, at = append(list, text[start:i+1]), append(at, start)
		start = i + 2
		i++
	}
	return list, at
}
