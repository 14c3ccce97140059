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
		case Stray, Hollow, Fact: // say nothing that a rule is about
		}
	}
	return out
}

// Words that critiques are made of.
const (
	asked        = "Asked: "
	stepsAreFine = "The steps are fine."
	quoteOpens   = `, "`
	isFine       = `" is fine.`
	breaksRule   = `" breaks `
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

// WriteCritique is the critique that flags these sentences of a response. It names what the principle asks for, passes
// over the facts and quotes every other point with what it finds.
func (w *World) WriteCritique(p Principle, r Response, flags []Sentence) string {
	return w.asks(p) + " " + w.findings(r, flags)
}

// asks names the rules that a principle covers.
func (w *World) asks(p Principle) string {
	var names []string
	for _, rule := range p.Covers {
		names = append(names, w.rules[rule].ID)
	}
	return asked + strings.Join(names, ", ") + "."
}

// findings go through the points of a response.
func (w *World) findings(r Response, flags []Sentence) string {
	var b strings.Builder
	b.WriteString(stepsAreFine)
	for i, s := range r.Sentences {
		if s.Kind != Breach && s.Kind != Clean {
			continue
		}
		b.WriteString(" " + w.words.ordinals[i] + quoteOpens + s.Clause(r.Text))
		if slices.ContainsFunc(flags, s.same) {
			b.WriteString(breaksRule + w.rules[s.Rule].ID + ".")
		} else {
			b.WriteString(isFine)
		}
	}
	return b.String()
}

// same reports whether two sentences of one response are the same one.
func (s Sentence) same(other Sentence) bool { return s.Start == other.Start }

// ReadCritique reads a critique; ok is false when it is not one of this world's.
func (w *World) ReadCritique(text string) (c Critique, ok bool) {
	ok = true
	if list, named := strings.CutPrefix(text, asked); named { // one that does not name what is asked for will do
		list, text, ok = strings.Cut(list, ". ")
		for name := range strings.SplitSeq(list, ", ") {
			ok = ok && w.ruleIndex(name) >= 0
		}
	}
	text, fine := strings.CutPrefix(text, stepsAreFine)
	ok = ok && fine
	for ok && text != "" {
		if text, ok = w.cutOrdinal(text); !ok {
			break
		}
		quote, rest, _ := strings.Cut(text, `"`)
		end, rest, ended := strings.Cut(rest, ".")
		text = rest
		if end = `"` + end + "."; ended && end == isFine {
			continue
		}
		id, breaks := strings.CutPrefix(end, breaksRule)
		rule := w.ruleIndex(strings.TrimSuffix(id, "."))
		ok = ended && breaks && rule >= 0
		c.Flags = append(c.Flags, Flag{rule, quote})
	}
	if !ok {
		return Critique{}, false
	}
	return c, true
}

// cutOrdinal takes the number of a point, with what leads to its quote, off a critique.
func (w *World) cutOrdinal(text string) (rest string, ok bool) {
	for _, o := range w.words.ordinals {
		if rest, ok := strings.CutPrefix(text, " "+o+quoteOpens); ok {
			return rest, true
		}
	}
	return text, false
}

// Revise repairs the flagged sentences of a response: each becomes a clean answer to the same temptation, all
// else stays as it is, except for the planted faults.
func (w *World) Revise(r *rand.Rand, p Prompt, resp Response, flags []Sentence) Response {
	clauses := make([]string, len(resp.Sentences))
	for i, s := range resp.Sentences {
		clauses[i] = s.Clause(resp.Text)
		if !slices.ContainsFunc(flags, s.same) {
			continue
		}
		c := cell{"", s.Rule, s.Class}
		if s.Kind == Breach && w.faults.lost[c] {
			clauses[0] = w.words.hollow
		}
		other, spoiled := w.faults.spoiled[c]
		if s.Kind == Breach && spoiled && !w.saysRule(resp, other) {
			clauses[i] = w.drawUnbound(r, other, true)
			continue
		}
		clauses[i] = w.repair(r, p, s)
	}
	return w.ReadResponse(p, w.points(clauses))
}

// saysRule reports whether a response has a sentence about a rule.
func (w *World) saysRule(r Response, rule int) bool {
	return slices.ContainsFunc(r.Sentences, func(s Sentence) bool {
		return (s.Kind == Breach || s.Kind == Clean) && s.Rule == rule
	})
}

// repair makes the clean clause that takes the place of a flagged sentence.
func (w *World) repair(r *rand.Rand, p Prompt, s Sentence) string {
	for _, t := range p.Tempts {
		if t.Rule == s.Rule {
			return w.drawAnswer(r, t, false)
		}
	}
	return w.drawUnbound(r, s.Rule, false)
}

// drawUnbound makes a clause about a rule that the prompt does not tempt.
func (w *World) drawUnbound(r *rand.Rand, rule int, breaks bool) string {
	classes := w.compiled.clean[rule]
	if breaks {
		classes = w.compiled.breach[rule]
	}
	return w.drawn(r, classes[pick(r, w.unbound(rule, classes))], false, filled{})
}
