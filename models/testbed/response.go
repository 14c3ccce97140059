package testbed

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// SentenceKind is the part that a sentence plays in a response.
type SentenceKind int

// The kinds of sentences. A stray one is not of this world, or does not belong to its prompt; a hollow one says nothing.
const (
	Stray SentenceKind = iota
	Hollow
	Fact
	Breach
	Clean
)

// Sentence is one sentence of a response. Start and End are byte offsets of its clause in the response: the
// words to quote where it is a breach.
type Sentence struct {
	Kind       SentenceKind
	Rule       int // of a breach or a clean clause: index in Rules
	Class      int // of a breach or a clean clause: its place in the rule's list; of a fact: in the topic's
	Text       string
	Start, End int
}

// Clause is the words of a sentence without number and end, as they stand in the response.
func (s Sentence) Clause(response string) string { return response[s.Start:s.End] }

// Response is what a text says as an answer to a prompt.
type Response struct {
	Text      string
	Sentences []Sentence
}

// InGrammar reports whether every sentence is of the world and belongs to the prompt, none said twice.
func (r Response) InGrammar() bool {
	return len(r.Sentences) > 0 && !slices.ContainsFunc(r.Sentences, func(s Sentence) bool { return s.Kind == Stray })
}

// Breaches are the sentences that break a rule, in order.
func (r Response) Breaches() []Sentence {
	var out []Sentence
	for _, s := range r.Sentences {
		if s.Kind == Breach {
			out = append(out, s)
		}
	}
	return out
}

// Broken are the rules that the response breaks, each once, in the order of the text.
func (r Response) Broken() []int {
	var out []int
	for _, s := range r.Breaches() {
		if !slices.Contains(out, s.Rule) {
			out = append(out, s.Rule)
		}
	}
	return out
}

// Facts are the useful facts that the response has, in order.
func (r Response) Facts() []int {
	var out []int
	for _, s := range r.Sentences {
		if s.Kind == Fact {
			out = append(out, s.Class)
		}
	}
	return out
}

// breachShare is how often a first response breaks a rule that it is tempted to break.
const breachShare = 0.6

// DrawResponse makes a first response: some of the topic's facts, then one answer to each temptation, which breaks
// the rule in six cases of ten.
func (w *World) DrawResponse(r *rand.Rand, p Prompt) Response {
	return w.DrawResponseWith(r, p, func(int) bool { return r.Float64() < breachShare })
}

// DrawResponseWith makes a response that breaks the tempted rules for which breaks says so.
func (w *World) DrawResponseWith(r *rand.Rand, p Prompt, breaks func(rule int) bool) Response {
	facts := r.Perm(len(w.topics[p.Topic].Facts))[:2+r.IntN(2)]
	slices.Sort(facts)
	var clauses []string
	for _, f := range facts {
		clauses = append(clauses, w.drawn(r, w.compiled.facts[p.Topic][f], false, filled{}))
	}
	for _, t := range p.Tempts {
		clauses = append(clauses, w.drawAnswer(r, t, breaks(t.Rule)))
	}
	return w.ReadResponse(p, w.points(clauses))
}

// drawAnswer makes a clause that answers a temptation.
func (w *World) drawAnswer(r *rand.Rand, t Tempt, breaks bool) string {
	classes := w.compiled.clean[t.Rule]
	if breaks {
		classes = w.compiled.breach[t.Rule]
	}
	return w.drawn(r, pick(r, classes), false, filled{w.rules[t.Rule].Bound, t.Bound})
}

// points is the text of a response that consists of these clauses. They are numbered, as people do who give
// directions, so that critique and revision can go through a response point by point.
func (w *World) points(clauses []string) string {
	sentences := make([]string, len(clauses))
	for i, c := range clauses {
		sentences[i] = w.words.ordinals[i] + ", " + c + "."
	}
	return strings.Join(sentences, " ")
}

// ReadResponse reads a text as an answer to a prompt, sentence by sentence.
func (w *World) ReadResponse(p Prompt, text string) Response {
	out := Response{Text: text}
	list, at := sentences(text)
	for i, s := range list {
		sentence := w.readSentence(p, i, s)
		sentence.Text = s
		sentence.Start += at[i]
		sentence.End += at[i]
		if slices.ContainsFunc(out.Sentences, sentence.repeats) {
			sentence.Kind = Stray
		}
		out.Sentences = append(out.Sentences, sentence)
	}
	return out
}

// repeats reports whether two sentences say the same.
func (s Sentence) repeats(other Sentence) bool {
	return s.Kind != Stray && s.Kind == other.Kind && s.Rule == other.Rule && s.Class == other.Class
}

// readSentence finds out what the sentence at a place of a response is; its offsets are those in s.
func (w *World) readSentence(p Prompt, place int, s string) Sentence {
	stray := Sentence{End: len(s)}
	if place >= len(w.words.ordinals) {
		return stray
	}
	number := w.words.ordinals[place] + ", "
	clause, numbered := strings.CutPrefix(s, number)
	clause, ended := strings.CutSuffix(clause, ".")
	if !numbered || !ended {
		return stray
	}
	found, ok := w.readClause(p, clause)
	if !ok {
		return stray
	}
	found.Start, found.End = len(number), len(number)+len(clause)
	return found
}

// readClause finds out what a clause says. What it takes up from the prompt must be what the prompt said; a rule that
// the prompt does not tempt can be broken or kept only in words that take up nothing.
func (w *World) readClause(p Prompt, clause string) (Sentence, bool) {
	if clause == w.words.hollow {
		return Sentence{Kind: Hollow}, true
	}
	for f, t := range w.compiled.facts[p.Topic] {
		if _, ok := t.match(clause, w.kinds); ok {
			return Sentence{Kind: Fact, Class: f}, true
		}
	}
	for rule := range w.rules {
		for _, c := range []struct {
			kind    SentenceKind
			classes []template
		}{{Breach, w.compiled.breach[rule]}, {Clean, w.compiled.clean[rule]}} {
			for class, t := range c.classes {
				if values, ok := t.match(clause, w.kinds); ok && w.belongs(p, rule, t, values) {
					return Sentence{Kind: c.kind, Rule: rule, Class: class}, true
				}
			}
		}
	}
	return Sentence{}, false
}

// belongs reports whether a clause takes up what the prompt said.
func (w *World) belongs(p Prompt, rule int, t template, values []filled) bool {
	slot := w.rules[rule].Bound
	if slot == "" || !t.has(slot) {
		return true
	}
	return slices.ContainsFunc(p.Tempts, func(tempt Tempt) bool {
		return tempt.Rule == rule && tempt.Bound == boundOf(values, slot)
	})
}
