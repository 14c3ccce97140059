// Package quote makes a critique quote the draft, or say that nothing is wrong. It is a mask over the tokens of the draft: a
// critique cannot complain about words that are not there.
package quote

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"amend/engine/sample"
)

// What a critique begins with: one of the two sentences, the second of them around a quotation.
const (
	nothing = "There is nothing to correct."
	stem    = `The response says "`
	end     = `"`
)

// A quotation has at least, and at most, so many tokens, where the draft has them.
const (
	least = 3
	most  = 40
)

// Vocab is what is needed of a model's vocabulary.
type Vocab interface {
	// Tokenize returns the ids of a text, which stands behind others if after is set.
	Tokenize(text string, special, after bool) ([]sample.Token, error)
	// Piece returns the text of a token. The bytes are not to be changed.
	Piece(t sample.Token) []byte
}

// Form makes masks for drafts. It is used by one goroutine at a time.
type Form struct {
	vocab              Vocab
	nothing, stem, end []sample.Token
}

// NewForm tokenizes what critiques begin with.
func NewForm(v Vocab) (*Form, error) {
	f := &Form{vocab: v}
	for _, part := range []struct {
		ids  *[]sample.Token
		text string
	}{{&f.nothing, nothing}, {&f.stem, stem}, {&f.end, end}} {
		ids, err := v.Tokenize(part.text, false, part.text == end)
		if err != nil {
			return nil, fmt.Errorf("tokenizing %q: %w", part.text, err)
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("%q has no token in this model's vocabulary", part.text)
		}
		*part.ids = ids
	}
	return f, nil
}

// Name stands for the form in keys of turns.
func Name() string { return "quote 1: " + nothing + stem + end }

// Of returns the mask of a critique of a draft. A draft without a word can only be found in order.
func (f *Form) Of(draft []sample.Token) (*Mask, error) {
	m := &Mask{form: f, draft: draft, sentences: [][]sample.Token{f.nothing, f.stem}}
	for i, t := range draft {
		piece := string(f.vocab.Piece(t))
		word := strings.TrimLeft(piece, " \n\t")
		if i > 0 && word == piece || word == "" {
			continue // inside a word
		}
		head, err := f.vocab.Tokenize(word, false, true)
		if err != nil {
			return nil, fmt.Errorf("tokenizing %q: %w", word, err)
		}
		m.starts = append(m.starts, start{head, i + 1})
	}
	if len(m.starts) == 0 {
		m.sentences = m.sentences[:1]
	}
	return m, nil
}

// start is where a quotation can begin: at a word, whose tokens without the space before it are head; next is the place of
// the draft's token behind it.
type start struct {
	head []sample.Token
	next int
}

// at is token k of a quotation that begins here.
func (s start) at(k int, draft []sample.Token) (t sample.Token, ok bool) {
	if k < len(s.head) {
		return s.head[k], true
	}
	if k = s.next + k - len(s.head); k < len(draft) {
		return draft[k], true
	}
	return 0, false
}

// The parts of a critique.
type part int

const (
	opening   part = iota // one of the two sentences
	quotation             // words of the draft
	closing               // the mark behind them
	free                  // the rest
)

// Mask says which tokens a critique may go on with. It implements sample.Grammar.
type Mask struct {
	form      *Form
	draft     []sample.Token
	sentences [][]sample.Token // those that the critique so far can be the beginning of
	starts    []start          // those that the quotation so far can have begun at

	part part
	said int // tokens of this part
}

// next are the tokens that may come next, each once; nil is any.
func (m *Mask) next() (out []sample.Token) {
	add := func(t sample.Token) {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	switch m.part {
	case opening:
		for _, sentence := range m.sentences {
			add(sentence[m.said])
		}
	case quotation:
		if m.said < most {
			for _, s := range m.starts {
				if t, ok := s.at(m.said, m.draft); ok {
					add(t)
				}
			}
		}
		if m.mayEnd() {
			add(m.form.end[0])
		}
	case closing:
		add(m.form.end[m.said])
	case free:
	}
	return out
}

// Allowed implements sample.Grammar.
func (m *Mask) Allowed(t sample.Token) (bool, error) {
	next := m.next()
	return next == nil || slices.Contains(next, t), nil
}

// Mask implements sample.Grammar.
func (m *Mask) Mask(logits []float32) error {
	next := m.next()
	if next == nil {
		return nil
	}
	kept := make([]float32, len(next))
	for i, t := range next {
		if t < 0 || int(t) >= len(logits) {
			return fmt.Errorf("token %d may come next, and the model has %d", t, len(logits))
		}
		kept[i] = logits[t]
	}
	for i := range logits {
		logits[i] = float32(math.Inf(-1))
	}
	for i, t := range next {
		logits[t] = kept[i]
	}
	return nil
}

// Forced implements sample.Grammar.
func (m *Mask) Forced() (sample.Token, bool, error) {
	if next := m.next(); len(next) == 1 {
		return next[0], true, nil
	}
	return 0, false, nil
}

// Accept implements sample.Grammar.
func (m *Mask) Accept(t sample.Token) error {
	if ok, _ := m.Allowed(t); !ok {
		return fmt.Errorf("token %d may not come next in a critique that quotes the draft", t)
	}
	switch m.part {
	case opening:
		m.sentences = slices.DeleteFunc(m.sentences, func(s []sample.Token) bool { return s[m.said] != t })
		if m.said++; m.said == len(m.sentences[0]) {
			m.begin(m.opened())
		}
	case quotation:
		if t == m.form.end[0] && m.mayEnd() {
			m.begin(closing)
			return m.Accept(t)
		}
		m.starts = slices.DeleteFunc(slices.Clone(m.starts), func(s start) bool {
			at, ok := s.at(m.said, m.draft)
			return !ok || at != t
		})
		m.said++
	case closing:
		if m.said++; m.said == len(m.form.end) {
			m.begin(free)
		}
	case free:
	}
	return nil
}

// Close implements sample.Grammar: there is nothing to free.
func (m *Mask) Close() error { return nil }

func (m *Mask) begin(p part) { m.part, m.said = p, 0 }

// opened is what follows on the sentence that was said.
func (m *Mask) opened() part {
	if slices.Equal(m.sentences[0], m.form.stem) {
		return quotation
	}
	return free
}

// mayEnd reports whether the quotation is long enough, or cannot go on.
func (m *Mask) mayEnd() bool {
	return m.said >= least || !slices.ContainsFunc(m.starts, func(s start) bool {
		_, ok := s.at(m.said, m.draft)
		return ok
	})
}
