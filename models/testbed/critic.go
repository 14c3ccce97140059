package testbed

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Breaks are the sentences of a response that truly break rules which a principle covers.
func (w *World) Breaks(p Principle, r Response) []Sentence {
	return slices.DeleteFunc(r.Breaches(), func(s Sentence) bool { return !p.CoversRule(s.Rule) })
}

// Flags are the sentences that the world's critic flags under a principle: the truth, with its planted faults.
func (w *World) Flags(p Principle, r Response) []Sentence {
	var out []Sentence
	for _, s := range r.Sentences {
		if !p.CoversRule(s.Rule) {
			continue
		}
		c := cell{p.ID, s.Rule, s.Class}
		switch s.Kind {
		case Breach:
			if !w.faults.missed[c] && !w.faults.unseen[cell{"", s.Rule, s.Class}] {
				out = append(out, s)
			}
		case Clean:
			if w.faults.alarmed[c] {
				out = append(out, s)
			}
		case Stray, Courtesy, Fact: // say nothing that a rule is about
		}
	}
	return out
}

// Words that critiques are made of.
const (
	nothingToCorrect = "I find nothing to correct."
	breaksRule       = "This breaks the rule of "
	alsoBreaksRule   = " It also breaks the rule of "
)

// Critique is what a critique says.
type Critique struct {
	Flags []Flag // none: nothing to correct
}

// Flag is one fault that a critique names.
type Flag struct {
	Rule  int // index in Rules
	Quote string
}

// WriteCritique is the critique that flags these sentences of a response.
func (w *World) WriteCritique(r Response, flags []Sentence) string {
	if len(flags) == 0 {
		return nothingToCorrect
	}
	var b strings.Builder
	for i, s := range flags {
		if i == 0 {
			b.WriteString(breaksRule)
		} else {
			b.WriteString(alsoBreaksRule)
		}
		b.WriteString(w.rules[s.Rule].ID + `: "` + s.Clause(r.Text) + `".`)
	}
	return b.String()
}

// ReadCritique reads a critique; ok is false when it is none of this world's.
func (w *World) ReadCritique(text string) (c Critique, ok bool) {
	if text == nothingToCorrect {
		return c, true
	}
	for opening := breaksRule; text != ""; opening = alsoBreaksRule {
		rest, found := strings.CutPrefix(text, opening)
		id, rest, cut := strings.Cut(rest, `: "`)
		quote, rest, closed := strings.Cut(rest, `".`)
		rule := w.RuleIndex(id)
		if !found || !cut || !closed || rule < 0 {
			return Critique{}, false
		}
		c.Flags = append(c.Flags, Flag{rule, quote})
		text = rest
	}
	return c, len(c.Flags) > 0
}

// Revise repairs the flagged sentences of a response: each becomes a clean answer to the same temptation, all
// else stays as it is, but for the planted faults.
func (w *World) Revise(r *rand.Rand, p Prompt, resp Response, flags []Sentence) Response {
	var list []Sentence
	lose := -1 // a place in list
	for _, s := range resp.Sentences {
		if !slices.ContainsFunc(flags, func(f Sentence) bool { return f.Start == s.Start }) {
			list = append(list, s)
			continue
		}
		c := cell{"", s.Rule, s.Class}
		if s.Kind == Breach && w.faults.lost[c] {
			lose = lastFact(list)
		}
		other, spoiled := w.faults.spoiled[c]
		if s.Kind == Breach && spoiled && !slices.Contains(resp.Broken(), other) && !w.saysRule(resp, other) {
			list = append(list, w.drawUnbound(r, other, Breach))
			continue
		}
		list = append(list, w.repair(r, p, s))
	}
	if lose >= 0 {
		list = slices.Delete(list, lose, lose+1)
	}
	return w.ReadResponse(p, join(list))
}

// saysRule reports whether a response has a sentence about a rule.
func (w *World) saysRule(r Response, rule int) bool {
	return slices.ContainsFunc(r.Sentences, func(s Sentence) bool {
		return (s.Kind == Breach || s.Kind == Clean) && s.Rule == rule
	})
}

// lastFact is the place of the last fact in list, −1 where it is the first or there is none.
func lastFact(list []Sentence) int {
	last, facts := -1, 0
	for i, s := range list {
		if s.Kind == Fact {
			last = i
			facts++
		}
	}
	if facts < 2 {
		return -1
	}
	return last
}

// repair makes the clean sentence that takes the place of a flagged one.
func (w *World) repair(r *rand.Rand, p Prompt, s Sentence) Sentence {
	for _, t := range p.Tempts {
		if t.Rule == s.Rule {
			return w.drawAnswer(r, t, Clean)
		}
	}
	return w.drawUnbound(r, s.Rule, Clean)
}

// drawUnbound makes a sentence about a rule that the prompt does not tempt.
func (w *World) drawUnbound(r *rand.Rand, rule int, kind SentenceKind) Sentence {
	classes := w.compiled.clean[rule]
	if kind == Breach {
		classes = w.compiled.breach[rule]
	}
	class := pick(r, w.unbound(rule, classes))
	clause := w.drawn(r, classes[class], false, filled{})
	return Sentence{Kind: kind, Rule: rule, Class: class, Text: capital(pick(r, w.words.leads)+clause) + "."}
}
