package testbed

import (
	"hash/fnv"
	"math/rand/v2"
	"strings"
)

// kind is a kind of filler: the texts made by taking one of each list of parts, in order. No part of a list
// begins another of the same list, so a text is read in one way only.
type kind struct {
	parts [][]string
	sep   string
	// open kinds have fillers that training never saw.
	open bool
}

// heldOutOneIn of the fillers of an open kind are kept from training.
const heldOutOneIn = 5

// draw makes a filler. heldOut asks for one that training never sees, where the kind has such.
func (k kind) draw(r *rand.Rand, heldOut bool) string {
	for {
		chosen := make([]string, len(k.parts))
		for i, list := range k.parts {
			chosen[i] = list[r.IntN(len(list))]
		}
		text := strings.Join(chosen, k.sep)
		if !k.open || IsHeldOut(text) == heldOut {
			return text
		}
	}
}

// IsHeldOut reports whether a filler of an open kind is kept from training.
func IsHeldOut(filler string) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(filler)) // never fails
	return h.Sum64()>>20%heldOutOneIn == 0
}

// match returns how many bytes at the start of s are a filler, 0 for none.
func (k kind) match(s string) int {
	at := 0
	for i, list := range k.parts {
		if i > 0 {
			if !strings.HasPrefix(s[at:], k.sep) {
				return 0
			}
			at += len(k.sep)
		}
		n := 0
		for _, part := range list {
			if strings.HasPrefix(s[at:], part) {
				n = len(part)
				break
			}
		}
		if n == 0 {
			return 0
		}
		at += n
	}
	return at
}

// kinds are the kinds of fillers by the slot's name.
func kinds() map[string]kind {
	words := func(lists ...string) kind {
		k := kind{sep: " ", open: len(lists) > 1}
		for _, l := range lists {
			k.parts = append(k.parts, strings.Fields(l))
		}
		return k
	}
	syllables := func(lists ...string) kind {
		k := words(lists...)
		k.sep = ""
		return k
	}
	const starts = "Mar Tel Jor Rin Sab Ber Lun Kas Olm Fen Dav Hel Nim Wil Tor Esk Pal Gus Vik Zan"
	return map[string]kind{
		"name":     syllables(starts, "a o i u el en er", "ra ko dis vel mer ta lo nan sey bek"),
		"place":    syllables(starts, "sta vi ro mun ke", "ford wick ham burg dale ness holm port"),
		"street":   words("Mill Oak Church Station Garden River Market School Bridge Forest", "Lane Road Street Square"),
		"number":   words("two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty"),
		"coins":    words("four six eight ten twenty thirty forty fifty", "gold silver copper foreign rare shiny"),
		"hour":     words("six seven eight nine ten eleven"),
		"season":   words("spring summer autumn winter"),
		"age":      words("three four five six seven eight nine"),
		"relation": words("older younger little favourite best new", "brother sister cousin uncle friend partner nephew helper"),
		"gear":     words("leather rubber thick light black yellow", "gloves goggles boots earplugs kneepads sleeves"),
		"ailment":  words("bad dull sudden nasty strong mild", "headache cough fever rash backache toothache"),
		"tool":     words("small big steel wooden green sharp", "drill ladder saw pump lamp spade rope hammer"),
		"listener": words("new old strict kind young busy", "boss teacher landlord coach doctor neighbour"),
		"waste":    words("old red thin dirty leftover sticky", "paint oil glue varnish fuel acid"),
	}
}

// all lists every filler of a kind.
func (k kind) all() []string {
	texts := []string{""}
	for i, list := range k.parts {
		var longer []string
		for _, text := range texts {
			if i > 0 {
				text += k.sep
			}
			for _, part := range list {
				longer = append(longer, text+part)
			}
		}
		texts = longer
	}
	return texts
}
