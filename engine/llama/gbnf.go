package llama

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// ErrGrammar is returned for a grammar text that is not GBNF, or that llama.cpp
// cannot follow. The message gives the line or the rule.
var ErrGrammar = errors.New("unusable grammar")

// What a grammar may have at most. llama.cpp recurses for nesting and copies for
// repetition, without a bound of its own that would hold.
const (
	maxGrammarText     = 1 << 20 // bytes
	maxGrammarElements = 1 << 17 // of all rules, repetitions written out
	maxGrammarRules    = 1 << 14
	maxGrammarNesting  = 200
	maxRepetition      = 2000 // llama.cpp's own bound (MAX_REPETITION_THRESHOLD)
)

// gbnfKind is what an element of a rule is.
type gbnfKind uint8

const (
	gbnfChar gbnfKind = iota // a character, or the start of a class
	gbnfMore                 // a class goes on
	gbnfRef                  // another rule
	gbnfAlt                  // the next alternative begins
	gbnfEnd
)

type gbnfElement struct {
	kind gbnfKind
	rule int // of a gbnfRef
}

// gbnfParser reads a grammar as llama_grammar_parser does and gives the same
// rules, repetitions rewritten. llama.cpp prints parse errors to stderr, runs out
// of memory for {3,1} and out of stack for deep nesting: it is given only what
// was read here without an error.
type gbnfParser struct {
	text     string
	pos      int
	ids      map[string]int // rules with a name in the text
	names    []string       // of rule i; a rewritten part has that of the rule it is in
	seen     []int          // where rule i was first named
	rules    [][]gbnfElement
	elements int
	nesting  int
	wideNot  bool // a class excludes characters beyond ASCII
}

func parseGBNF(text string) (*gbnfParser, error) {
	p := &gbnfParser{text: text, ids: map[string]int{}}
	if len(text) > maxGrammarText {
		return nil, fmt.Errorf("%w: %d bytes, and there may be %d", ErrGrammar, len(text), maxGrammarText)
	}
	if err := p.readable(); err != nil {
		return nil, err
	}
	p.space(true)
	for p.pos < len(p.text) {
		if err := p.rule(); err != nil {
			return nil, err
		}
	}
	if len(p.rules) == 0 {
		return nil, fmt.Errorf("%w: it has no rules", ErrGrammar)
	}
	for id, rule := range p.rules {
		if rule == nil {
			p.pos = p.seen[id]
			return nil, p.failf("rule %q is used and not defined", p.names[id])
		}
	}
	return p, nil
}

// readable refuses bytes that llama.cpp's parser would misread.
func (p *gbnfParser) readable() error {
	for i, r := range p.text {
		p.pos = i
		switch {
		case r == 0:
			return p.failf("a NUL byte")
		case r == utf8.RuneError && !strings.HasPrefix(p.text[i:], string(utf8.RuneError)):
			return p.failf("not UTF-8")
		}
	}
	p.pos = 0
	return nil
}

// rule reads "name ::= alternatives" and the line's end.
func (p *gbnfParser) rule() error {
	start := p.pos
	name, err := p.name()
	if err != nil {
		return err
	}
	id := p.symbol(name, start)
	p.space(false)
	if !strings.HasPrefix(p.text[p.pos:], "::=") {
		return p.failf("want ::= after the name %q", name)
	}
	p.pos += len("::=")
	p.space(true)
	if err := p.alternatives(id, false); err != nil {
		return err
	}
	if c := p.peek(); c != 0 && c != '\r' && c != '\n' {
		return p.failf("want the end of the line, and there is %s", p.here())
	}
	p.space(true)
	return nil
}

// alternatives reads sequences between bars and makes them rule id.
func (p *gbnfParser) alternatives(id int, nested bool) error {
	s := gbnfSequence{name: p.names[id]}
	for {
		if err := p.sequence(&s, nested); err != nil {
			return err
		}
		if p.peek() != '|' {
			return p.define(id, append(s.rule, gbnfElement{kind: gbnfEnd}))
		}
		p.pos++
		p.space(true)
		s.rule = append(s.rule, gbnfElement{kind: gbnfAlt})
	}
}

// gbnfSequence is a rule in the making.
type gbnfSequence struct {
	name  string
	rule  []gbnfElement
	last  int // where the last item begins: what a repetition repeats
	times int // rules that this item stands for, repetitions multiplied (n_prev_rules)
}

// item begins a new item.
func (s *gbnfSequence) item() { s.last, s.times = len(s.rule), 1 }

// sequence reads items, each with what repeats it.
func (p *gbnfParser) sequence(s *gbnfSequence, nested bool) error {
	s.item()
	for {
		var err error
		switch c := p.peek(); {
		case c == '"':
			s.item()
			err = p.literal(s)
		case c == '[':
			s.item()
			err = p.class(s)
		case c == '.':
			s.item()
			p.pos++
			s.rule = append(s.rule, gbnfElement{kind: gbnfChar})
		case c == '(':
			err = p.group(s)
		case c == '*' || c == '+' || c == '?' || c == '{':
			err = p.repetition(s, nested)
		case c == '<' || c == '!':
			err = p.failf("token references such as %s are not supported; write the text", p.here())
		case gbnfWord(c):
			start := p.pos
			name, _ := p.name() // it has a character
			s.item()
			s.rule = append(s.rule, gbnfElement{gbnfRef, p.symbol(name, start)})
		default:
			return nil
		}
		if err == nil && len(s.rule) > maxGrammarElements {
			err = p.tooLarge()
		}
		if err != nil {
			return err
		}
		p.space(nested)
	}
}

// literal reads a quoted text.
func (p *gbnfParser) literal(s *gbnfSequence) error {
	p.pos++
	for p.peek() != '"' {
		if _, err := p.char(); err != nil {
			return err
		}
		s.rule = append(s.rule, gbnfElement{kind: gbnfChar})
	}
	p.pos++
	return nil
}

// class reads a character class.
func (p *gbnfParser) class(s *gbnfSequence) error {
	start := p.pos
	p.pos++
	not := p.peek() == '^'
	if not {
		p.pos++
	}
	kind := gbnfChar
	for p.peek() != ']' {
		low, err := p.char()
		if err != nil {
			return err
		}
		s.rule = append(s.rule, gbnfElement{kind: kind})
		kind = gbnfMore
		p.wideNot = p.wideNot || not && low >= utf8.RuneSelf
		if p.peek() != '-' || strings.HasPrefix(p.text[p.pos:], "-]") {
			continue
		}
		p.pos++
		high, err := p.char()
		if err != nil {
			return err
		}
		if high < low {
			return p.failf("a range ends before it begins: %s", p.text[start:p.pos])
		}
		p.wideNot = p.wideNot || not && high >= utf8.RuneSelf
		s.rule = append(s.rule, gbnfElement{kind: gbnfMore})
	}
	p.pos++
	if kind == gbnfChar {
		// llama.cpp takes it for the empty text.
		return p.failf("%s has no characters", p.text[start:p.pos])
	}
	return nil
}

// group reads alternatives in parentheses, which become a rule of their own.
func (p *gbnfParser) group(s *gbnfSequence) error {
	if p.nesting++; p.nesting > maxGrammarNesting {
		return p.failf("parentheses are nested more than %d deep", maxGrammarNesting)
	}
	defer func() { p.nesting-- }()
	before := len(p.names)
	id := p.generate(s.name, p.pos)
	p.pos++
	p.space(true)
	if err := p.alternatives(id, true); err != nil {
		return err
	}
	if p.peek() != ')' {
		return p.failf("want ) and there is %s", p.here())
	}
	p.pos++
	s.last, s.times = len(s.rule), len(p.names)-before
	s.rule = append(s.rule, gbnfElement{gbnfRef, id})
	return nil
}

// repetition reads *, +, ? or {m,n}, and repeats the last item.
func (p *gbnfParser) repetition(s *gbnfSequence, nested bool) error {
	if s.last == len(s.rule) {
		return p.failf("%s has nothing before it to repeat", p.here())
	}
	c := p.peek()
	p.pos++
	low, high := 0, -1
	switch c {
	case '+':
		low = 1
	case '?':
		high = 1
	case '{':
		p.space(nested)
		var err error
		if low, high, err = p.bounds(nested); err != nil {
			return err
		}
	}
	return p.repeat(s, low, high)
}

// bounds reads what stands between braces: m, "m," or "m,n". Without an upper
// bound high is -1.
func (p *gbnfParser) bounds(nested bool) (low, high int, err error) {
	if low, err = p.number(); err != nil {
		return 0, 0, err
	}
	p.space(nested)
	high = low
	if p.peek() == ',' {
		p.pos++
		p.space(nested)
		high = -1
		if c := p.peek(); '0' <= c && c <= '9' {
			if high, err = p.number(); err != nil {
				return 0, 0, err
			}
			p.space(nested)
		}
	}
	if p.peek() != '}' {
		return 0, 0, p.failf("want } and there is %s", p.here())
	}
	p.pos++
	if high >= 0 && high < low {
		return 0, 0, p.failf("{%d,%d} ends before it begins", low, high)
	}
	return low, high, nil
}

// repeat rewrites the last item S as llama.cpp does: S{m,n} is S m times and an
// S' for each further one, S'(x) ::= S S'(x-1) | ; without an upper bound, one
// S' ::= S S' | .
func (p *gbnfParser) repeat(s *gbnfSequence, low, high int) error {
	if s.times *= max(1, low, high); s.times > maxRepetition {
		return p.failf("a repetition stands for %d rules, and there may be %d; repeat less or simplify what is repeated", s.times, maxRepetition)
	}
	item := slices.Clone(s.rule[s.last:])
	optional := high - low
	if high < 0 {
		optional = 1
	}
	if p.elements+len(s.rule)+(low+optional)*(len(item)+3) > maxGrammarElements {
		return p.tooLarge()
	}
	s.rule = s.rule[:s.last]
	for range low {
		s.rule = append(s.rule, item...)
	}
	next := -1
	for range optional {
		id := p.generate(s.name, p.pos)
		if high < 0 {
			next = id
		}
		rest := slices.Clone(item)
		if next >= 0 {
			rest = append(rest, gbnfElement{gbnfRef, next})
		}
		if err := p.define(id, append(rest, gbnfElement{kind: gbnfAlt}, gbnfElement{kind: gbnfEnd})); err != nil {
			return err
		}
		next = id
	}
	if next >= 0 {
		s.rule = append(s.rule, gbnfElement{gbnfRef, next})
	}
	return nil
}

// define makes rule id. As in llama.cpp, a later definition replaces an earlier.
func (p *gbnfParser) define(id int, rule []gbnfElement) error {
	p.rules[id] = rule
	if p.elements += len(rule); p.elements > maxGrammarElements || len(p.rules) > maxGrammarRules {
		return p.tooLarge()
	}
	return nil
}

func (p *gbnfParser) tooLarge() error {
	return p.failf("the grammar has more than %d elements or %d rules, repetitions written out", maxGrammarElements, maxGrammarRules)
}

// symbol is the id of a named rule.
func (p *gbnfParser) symbol(name string, at int) int {
	id, ok := p.ids[name]
	if !ok {
		id = p.generate(name, at)
		p.ids[name] = id
	}
	return id
}

// generate is the id of a new rule.
func (p *gbnfParser) generate(name string, at int) int {
	p.names = append(p.names, name)
	p.seen = append(p.seen, at)
	p.rules = append(p.rules, nil)
	return len(p.rules) - 1
}
