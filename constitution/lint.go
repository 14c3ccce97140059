package constitution

import (
	"fmt"
	"slices"
	"strings"
)

// Finding is something in a document that is valid and probably not meant.
type Finding struct {
	Level     Level  `json:"level"`
	Layer     string `json:"layer"`
	File      string `json:"file"` // of the layer
	Line      int    `json:"line,omitempty"`
	Principle string `json:"principle,omitempty"`
	Rule      string `json:"rule"` // a word for the kind, such as near-duplicate
	Message   string `json:"message"`
}

// Level says how bad a finding is.
type Level string

// The levels.
const (
	Error   Level = "error"   // something in the document has no effect, or tells a judge the answer
	Warning Level = "warning" // results may be worse
)

// String is the finding in a line.
func (f Finding) String() string {
	at := f.File
	if f.Line > 0 {
		at += fmt.Sprintf(":%d", f.Line)
	}
	message := f.Message
	if f.Principle != "" {
		message = f.Principle + ": " + message
	}
	return at + ": " + string(f.Level) + ": " + message + " [" + f.Rule + "]"
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

// Lint lists what is probably not meant. rows say what the rows of a data set are about; nil where none is at hand, and then
// nothing is said of which principles they draw.
func Lint(d *Document, rows []Attributes) []Finding {
	l := linter{doc: d}
	for i, p := range d.Principles {
		l.nearDuplicates(p, d.Principles[:i])
		l.unreachable(p)
		l.languages(p)
		l.lengths(p)
		l.source(p)
	}
	if rows != nil {
		l.rows(rows)
	}
	l.requests()
	l.demonstrations()
	l.judgements()
	return l.findings
}

type linter struct {
	doc      *Document
	findings []Finding
}

func (l *linter) add(level Level, p Principle, field, rule, format string, args ...any) {
	o := p.Origins[field]
	if o.Layer == "" {
		o = p.Origins["id"]
	}
	l.findings = append(l.findings, Finding{level, o.Layer, l.file(o.Layer), o.Line, p.ID, rule, fmt.Sprintf(format, args...)})
}

// addDocument reports what is not of a principle. What is missing is reported of the uppermost layer.
func (l *linter) addDocument(level Level, key, rule, format string, args ...any) {
	o, ok := l.doc.Origins[key]
	if n := len(l.doc.Layers); !ok && n > 0 {
		o.Layer = l.doc.Layers[n-1].Name
	}
	l.findings = append(l.findings, Finding{Level: level, Layer: o.Layer, File: l.file(o.Layer), Line: o.Line, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// file is the one that a layer is from.
func (l *linter) file(layer string) string {
	for _, below := range l.doc.Layers {
		if below.Name == layer {
			return below.File
		}
	}
	return layer
}

// source reports a principle that cites nothing in a document whose principles do. House rules cite nothing.
func (l *linter) source(p Principle) {
	cites := func(p Principle) bool {
		return slices.ContainsFunc(p.Sources, func(s Source) bool { return s.Article != "" })
	}
	if l.doc.Unsourced == "" && !cites(p) && slices.ContainsFunc(l.doc.Principles, cites) {
		l.add(Warning, p, "text", "no-source", "cites no instrument and article, as other principles do; a document whose principles are to have none says why in unsourced")
	}
}

// judgements reports what spoils judgements: too many that are shown, answers that a place or a length gives away, and tests that
// the judge has seen.
func (l *linter) judgements() {
	shown, tested := l.doc.Shown(), l.doc.Tested()
	if len(shown) > manyShown {
		l.addDocument(Warning, "judgements.0", "many-shown", "%d judgements are shown to the judge; with more than %d little is left of a small context. Those with use: test are not shown", len(shown), manyShown)
	}
	l.oneSided("judgements.0", "judgements", shown)
	l.oneSided(fmt.Sprintf("judgements.%d", len(shown)), "tests", tested)
	for i, j := range tested {
		if slices.ContainsFunc(shown, func(s Judgement) bool { return s.Prompt == j.Prompt }) {
			l.addDocument(Error, fmt.Sprintf("judgements.%d", len(shown)+i), "seen-test", "the judge is tested with a prompt that it is shown, %q", j.Prompt)
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
		l.addDocument(Error, at, "one-sided", "in all %d %s the better response stands in the same place", n, what)
	}
	if longer == n {
		l.addDocument(Error, at, "one-sided", "in all %d %s the better response is the longer one", n, what)
	}
}

func (l *linter) nearDuplicates(p Principle, others []Principle) {
	for _, q := range others {
		if share := common(p.Text, q.Text); share >= nearDuplicate {
			l.add(Warning, p, "text", "near-duplicate", "has %.0f %% of its words in common with %s", 100*share, q.ID)
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

func (l *linter) lengths(p Principle) {
	for _, q := range p.requests(Prompts{}) {
		if n := len(strings.Fields(*q.text)); n > longRequest {
			l.add(Warning, p, q.key, "long-request", "its %s has %d words; more than %d leave little of a small context", q.key, n, longRequest)
		}
	}
}
