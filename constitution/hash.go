package constitution

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Hash returns the sha256 in hex of everything in the document that can change a run: of each principle its
// id, text, requests, weight and where it applies, of each demonstration all texts, and the order of both. Titles,
// sources, tags, judge instructions, the layers it is composed of and the rest of what is only there for people leave
// it as it is, and so does the YAML style. Judgements do too: those shown are in the key of every answer of a
// judge, as a part of what it read, and tests change none.
func (d *Document) Hash() string {
	e := encoder("amend constitution 2")
	e.count(len(d.Principles))
	for _, p := range d.Principles {
		e.texts(p.ID, p.Text, p.CritiqueRequest, p.RevisionRequest)
		e.uint64(math.Float64bits(p.Weight))
		for _, list := range [][]string{p.Applies.Jurisdictions, p.Applies.Languages, p.Applies.PromptTags} {
			e.count(len(list))
			e.texts(list...)
		}
	}
	e.count(len(d.Demonstrations))
	for _, m := range d.Demonstrations {
		e.texts(m.Prompt, m.Response, m.Principle, m.CritiqueRequest, m.Critique, m.RevisionRequest, m.Revision)
	}
	sum := sha256.Sum256(e)
	return hex.EncodeToString(sum[:])
}

// encoder builds an unambiguous byte string: every text is preceded by its length.
type encoder []byte

func (e *encoder) uint64(v uint64) { *e = binary.LittleEndian.AppendUint64(*e, v) }

func (e *encoder) count(n int) { e.uint64(uint64(n)) }

func (e *encoder) texts(texts ...string) {
	for _, t := range texts {
		e.count(len(t))
		*e = append(*e, t...)
	}
}
