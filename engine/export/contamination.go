package export

import (
	"hash/fnv"

	"amend/engine/chat"
	"amend/engine/language"
)

// gramWords is the length of the runs of words by which texts of evaluation files are found again: 13, as in GPT-3 (Brown et
// al. 2020, appendix C).
const gramWords = 13

// Evaluation is a file that a model trained on the set is to be measured with. Rows that share a run of gramWords words with
// it are left out, and those whose whole prompt is a shorter text of it. Shorter answers are not looked for: refusals are alike
// everywhere. Nor are system messages.
type Evaluation struct {
	Name    string `json:"file"`
	SHA256  string `json:"sha256"`
	Records int    `json:"records"`
	Unread  int    `json:"unread"`   // records that could not be read
	LeftOut int    `json:"left_out"` // rows that share something with it; one may do so with several files

	grams map[uint64]struct{}
	short map[uint64]struct{}
}

// Add takes up a text of the file.
func (e *Evaluation) Add(text string) { e.add(language.Words(text)) }

// AddPrompt takes up a conversation, which is one text.
func (e *Evaluation) AddPrompt(prompt []chat.Message) { e.add(promptWords(prompt)) }

func (e *Evaluation) add(text []string) {
	if e.grams == nil {
		e.grams, e.short = map[uint64]struct{}{}, map[uint64]struct{}{}
	}
	if len(text) == 0 {
		return
	}
	if len(text) < gramWords {
		e.short[hashAll(text)] = struct{}{}
		return
	}
	for gram := range grams(text) {
		e.grams[gram] = struct{}{}
	}
}

// shares reports whether a prompt or an answer to it shares text with the file.
func (e *Evaluation) shares(prompt []string, answers ...[]string) bool {
	if len(prompt) > 0 && len(prompt) < gramWords {
		if _, ok := e.short[hashAll(prompt)]; ok {
			return true
		}
	}
	for _, text := range append(answers, prompt) {
		for gram := range grams(text) {
			if _, ok := e.grams[gram]; ok {
				return true
			}
		}
	}
	return false
}

// sources are the evaluation files that a candidate shares text with.
func (o *Options) sources(c candidate) (out []*Evaluation) {
	if len(o.Evaluations) == 0 {
		return nil
	}
	prompt, answers := promptWords(c.prompt), [][]string{language.Words(c.answer)}
	if o.Format != SFT {
		answers = append(answers, language.Words(c.rejected))
	}
	for _, e := range o.Evaluations {
		if e.shares(prompt, answers...) {
			out = append(out, e)
		}
	}
	return out
}

// promptWords are the words of a conversation, without a system message.
func promptWords(prompt []chat.Message) (out []string) {
	for _, m := range prompt {
		if m.Role != chat.System {
			out = append(out, language.Words(m.Text)...)
		}
	}
	return out
}

// base is of the polynomials that runs of words are hashed by: odd, so that no word is lost.
const base = 0x9e3779b97f4a7c15

// hashAll is the hash of all words.
func hashAll(text []string) (h uint64) {
	for _, w := range text {
		h = h*base + hashWord(w)
	}
	return h
}

// grams are the hashes of all runs of gramWords words.
func grams(text []string) func(yield func(uint64) bool) {
	return func(yield func(uint64) bool) {
		highest := uint64(1) // base to the power of gramWords
		for range gramWords {
			highest *= base
		}
		var h uint64
		for i, w := range text {
			h = h*base + hashWord(w)
			if i >= gramWords {
				h -= highest * hashWord(text[i-gramWords])
			}
			if i >= gramWords-1 && !yield(h) {
				return
			}
		}
	}
}

func hashWord(w string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(w)) // never fails
	return h.Sum64()
}
