package testbed

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// SentenceKind is the part that a sentence plays in a response.
type SentenceKind int

// The kinds of sentences. A stray one is not of this world, or does not belong to its prompt.
const (
	Stray SentenceKind = iota
	Courtesy
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

// Clause is the words of a sentence without lead and end, as they stand in the response.
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

// DrawResponse makes a first response: some of the topic's facts, one answer to each temptation, which breaks
// the rule in six cases of ten.
func (w *World) DrawResponse(r *rand.Rand, p Prompt) Response {
	return w.DrawResponseWith(r, p, func(int) bool { return r.Float64() < breachShare })
}

// DrawResponseWith makes a response that breaks the tempted rules for which breaks says so.
func (w *World) DrawResponseWith(r *rand.Rand, p Prompt, breaks func(rule int) bool) Response {
	var list []Sentence
	facts := r.Perm(len(w.topics[p.Topic].Facts))[:2+r.IntN(2)]
	slices.Sort(facts)
	for _, f := range facts {
		clause := w.drawn(r, w.compiled.facts[p.Topic][f], false, filled{})
		list = append(list, Sentence{Kind: Fact, Class: f, Text: capital(clause) + "."})
	}
	at := 0
	for _, t := range p.Tempts {
		kind := Clean
		if breaks(t.Rule) {
			kind = Breach
		}
		at += r.IntN(len(list) - at + 1) // answers come in the order of the temptations
		list = slices.Insert(list, at, w.drawAnswer(r, t, kind))
		at++
	}
	if r.IntN(5) < 2 {
		list = slices.Insert(list, 0, Sentence{Kind: Courtesy, Text: pick(r, w.words.openings)})
	}
	if r.IntN(5) < 2 {
		list = append(list, Sentence{Kind: Courtesy, Text: pick(r, w.words.closings)})
	}
	return w.ReadResponse(p, join(list))
}

// drawAnswer makes the sentence that answers a temptation.
func (w *World) drawAnswer(r *rand.Rand, t Tempt, kind SentenceKind) Sentence {
	classes := w.compiled.clean[t.Rule]
	if kind == Breach {
		classes = w.compiled.breach[t.Rule]
	}
	class := r.IntN(len(classes))
	clause := w.drawn(r, classes[class], false, filled{w.rules[t.Rule].Bound, t.Bound})
	return Sentence{Kind: kind, Rule: t.Rule, Class: class, Text: capital(pick(r, w.words.leads)+clause) + "."}
}

func join(list []Sentence) string {
	texts := make([]string, len(list))
	for i, s := range list {
		texts[i] = s.Text
	}
	return strings.Join(texts, " ")
}

// ReadResponse reads a text as an answer to a prompt, sentence by sentence.
func (w *World) ReadResponse(p Prompt, text string) Response {
	out := Response{Text: text}
	list, at := sentences(text)
	for i, s := range list {
		sentence := w.readSentence(p, s)
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
	if s.Kind != other.Kind || s.Rule != other.Rule || s.Class != other.Class {
		return false
	}
	return s.Kind == Fact || s.Kind == Breach || s.Kind == Clean || s.Text == other.Text
}

// readSentence finds out what a sentence is; its offsets are those in s.
func (w *World) readSentence(p Prompt, s string) Sentence {
	if slices.Contains(w.words.openings, s) || slices.Contains(w.words.closings, s) {
		return Sentence{Kind: Courtesy, End: len(s)}
	}
	body, ok := strings.CutSuffix(s, ".")
	if !ok {
		return Sentence{End: len(s)}
	}
	for f, t := range w.compiled.facts[p.Topic] {
		if _, ok := w.matchStart(t, body); ok {
			return Sentence{Kind: Fact, Class: f, End: len(body)}
		}
	}
	for _, lead := range w.words.leads {
		if clause, ok := strings.CutPrefix(body, lead); ok {
			if found, ok := w.readAnswer(p, clause, lead == ""); ok {
				found.Start, found.End = len(lead), len(body)
				return found
			}
		}
	}
	return Sentence{End: len(s)}
}

// readAnswer reads a clause as one that breaks or keeps a rule. What it takes up from the prompt must be what
// the prompt said; a rule that the prompt does not tempt can be broken or kept only in words that take up nothing.
func (w *World) readAnswer(p Prompt, clause string, start bool) (Sentence, bool) {
	for rule := range w.rules {
		for _, c := range []struct {
			kind    SentenceKind
			classes []template
		}{{Breach, w.compiled.breach[rule]}, {Clean, w.compiled.clean[rule]}} {
			for class, t := range c.classes {
				values, ok := t.match(clause, w.kinds)
				if !ok && start {
					values, ok = t.match(lower(clause), w.kinds)
				}
				if ok && w.belongs(p, rule, t, values) {
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
