package constitution

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is something in a document that is valid and probably not meant.
type Finding struct {
	Layer     string `json:"layer"`
	Line      int    `json:"line,omitempty"`
	Principle string `json:"principle,omitempty"`
	Rule      string `json:"rule"` // near-duplicate, unreachable, long-request, long-preamble, many-shown, one-sided, seen-test or no-source
	Message   string `json:"message"`
}

// String is the finding in a line.
func (f Finding) String() string {
	at := f.Layer
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	if f.Principle != "" {
		at += ": " + f.Principle
	}
	return at + ": " + f.Message + " [" + f.Rule + "]"
}

// What lint takes for too much.
const (
	// nearDuplicate is the share of words, of those that either text has, which two principles may have in common.
	nearDuplicate = 0.7
	// A small context is 2,048 tokens, of which a word takes about 1.3. Beside the preamble it must hold a prompt, three
	// turns and two requests.
	longRequest  = 90   // words
	longPreamble = 1200 // words
	manyShown    = 4    // judgements, which stand before everything that a judge is asked
)

// Lint lists what is probably not meant. promptTags are the tags that the rows of a data set have; nil where none is at
// hand, and then nothing is said of what they reach.
func Lint(d *Document, promptTags []string) []Finding {
	l := linter{doc: d}
	for i, p := range d.Principles {
		l.nearDuplicates(p, d.Principles[:i])
		l.reach(p, promptTags)
		l.lengths(p)
		if d.Unsourced == "" && !slices.ContainsFunc(p.Sources, func(s Source) bool { return s.Article != "" }) {
			l.add(p, "text", "no-source", "cites no instrument and article; a document whose principles are to have none says why in unsourced")
		}
	}
	words := 0
	for _, m := range d.Demonstrations {
		for _, text := range []string{m.Prompt, m.Response, m.CritiqueRequest, m.Critique, m.RevisionRequest, m.Revision} {
			words += len(strings.Fields(text))
		}
	}
	if words > longPreamble {
		l.addDocument("demonstrations", "long-preamble", "the demonstrations have %d words with their requests; with more than %d a context of 2,048 tokens holds no conversation behind them", words, longPreamble)
	}
	l.judgements()
	return l.findings
}

type linter struct {
	doc      *Document
	findings []Finding
}

func (l *linter) add(p Principle, field, rule, format string, args ...any) {
	o := p.Origins[field]
	if o.Layer == "" {
		o = p.Origins["id"]
	}
	l.findings = append(l.findings, Finding{o.Layer, o.Line, p.ID, rule, fmt.Sprintf(format, args...)})
}

// addDocument reports what is not of a principle.
func (l *linter) addDocument(key, rule, format string, args ...any) {
	o := l.doc.Origins[key]
	l.findings = append(l.findings, Finding{Layer: o.Layer, Line: o.Line, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// judgements reports what spoils judgements: too many that are shown, answers that a place or a length gives away, and tests that
// the judge has seen.
func (l *linter) judgements() {
	shown, tested := l.doc.Shown(), l.doc.Tested()
	if len(shown) > manyShown {
		l.addDocument("judgements.0", "many-shown", "%d judgements are shown to the judge; with more than %d little is left of a small context. Those with use: test are not shown", len(shown), manyShown)
	}
	l.oneSided("judgements.0", "judgements", shown)
	l.oneSided(fmt.Sprintf("judgements.%d", len(shown)), "tests", tested)
	for i, j := range tested {
		if slices.ContainsFunc(shown, func(s Judgement) bool { return s.Prompt == j.Prompt }) {
			l.addDocument(fmt.Sprintf("judgements.%d", len(shown)+i), "seen-test", "the judge is tested with a prompt that it is shown, %q", j.Prompt)
		}
	}
}

// oneSided reports judgements from which a judge learns where the better response stands, or how long it is, and not which
// one it is, and tests that it passes that way. at is the first of them.
func (l *linter) oneSided(at, what string, of []Judgement) {
	n, first, longer := len(of), 0, 0
	for _, j := range of {
		better, worse := j.A, j.B
		if j.Better == SideB {
			better, worse = j.B, j.A
		} else {
			first++
		}
		if len(strings.Fields(better)) > len(strings.Fields(worse)) {
			longer++
		}
	}
	if n < 2 {
		return
	}
	if first == 0 || first == n {
		l.addDocument(at, "one-sided", "in all %d %s the better response stands in the same place", n, what)
	}
	if longer == n {
		l.addDocument(at, "one-sided", "in all %d %s the better response is the longer one", n, what)
	}
}

func (l *linter) nearDuplicates(p Principle, others []Principle) {
	for _, q := range others {
		if share := common(p.Text, q.Text); share >= nearDuplicate {
			l.add(p, "text", "near-duplicate", "has %.0f %% of its words in common with %s", 100*share, q.ID)
		}
	}
}

// common is how many of the words that occur in either text occur in both (Jaccard).
func common(a, b string) float64 {
	x, y := wordSet(a), wordSet(b)
	both := 0
	for w := range x {
		if y[w] {
			both++
		}
	}
	if len(x)+len(y) == both {
		return 0
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(strings.ToLower(text)) {
		set[strings.Trim(w, ".,;:!?\"'()")] = true
	}
	return set
}

// reach reports principles that are never drawn.
func (l *linter) reach(p Principle, promptTags []string) {
	if p.Weight == 0 && len(p.Tags) == 0 && l.doc.Share(p.ID) == 0 {
		l.add(p, "weight", "unreachable", "has the weight 0 and no tag to select it by")
	}
	wanted := p.Applies.PromptTags
	if promptTags == nil || len(wanted) == 0 {
		return
	}
	if !slices.ContainsFunc(wanted, func(tag string) bool { return slices.Contains(promptTags, tag) }) {
		l.add(p, "applies", "unreachable", "is for prompts with the tag %s, and no prompt has it", strings.Join(wanted, " or "))
	}
}

func (l *linter) lengths(p Principle) {
	for _, q := range p.requests(Prompts{}) {
		if n := len(strings.Fields(*q.text)); n > longRequest {
			l.add(p, q.key, "long-request", "its %s has %d words; more than %d leave little of a small context", q.key, n, longRequest)
		}
	}
}
