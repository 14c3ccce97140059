package chat

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kept is the part of a generated turn that stays: as text for people and
// datasets, and as ids for the turns that follow.
type Kept struct {
	Text string // valid UTF-8, without white space at its ends
	// Tokens are the generated ids that lie whole inside the kept text; only a
	// remainder that ends inside a token is tokenized, once.
	Tokens      []Token
	Retokenized int // how many of Tokens came from such a remainder
}

// Keep returns what is kept of a generated turn: the bytes of its text from
// start to the end, less white space at the right and a character that was
// not finished. text is the prefix of the tokens' bytes up to a stop string.
//
// White space at the left stays in the ids (a plain transcript's answers
// start with a space), though not in Text.
func (f *Formatter) Keep(generated []Token, text string, start int) (Kept, error) {
	end := keptEnd(text)
	start = min(start, end)
	k := Kept{Text: strings.ToValidUTF8(strings.TrimSpace(text[start:end]), "\uFFFD")}
	at, done := 0, start // done: bytes of the text that ids cover
	for _, id := range generated {
		from := at
		at += len(f.vocab.Piece(id))
		if at == from || from < start || at > end {
			continue
		}
		if from > done {
			if err := f.retokenize(&k, text[done:from]); err != nil {
				return Kept{}, err
			}
		}
		k.Tokens = append(k.Tokens, id)
		done = at
	}
	if done < end {
		if err := f.retokenize(&k, text[done:end]); err != nil {
			return Kept{}, err
		}
	}
	return k, nil
}

func (f *Formatter) retokenize(k *Kept, text string) error {
	ids, err := f.vocab.Tokenize(text, false, true)
	if err != nil {
		return fmt.Errorf("tokenizing the %d bytes at the edge of a turn: %w", len(text), err)
	}
	k.Tokens = append(k.Tokens, ids...)
	k.Retokenized += len(ids)
	return nil
}

// keptEnd is where a text ends without trailing white space and without a
// character that its last bytes only begin.
func keptEnd(text string) int {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		tail := text[len(text)-i:]
		if utf8.RuneStart(tail[0]) {
			if !utf8.FullRuneInString(tail) {
				text = text[:len(text)-i]
			}
			break
		}
	}
	return len(strings.TrimRight(text, whiteSpace))
}
