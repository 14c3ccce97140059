package constitution

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// drawDomain keeps the stream of principle draws apart from any other stream made from the same row seed.
const drawDomain = "principle draw 1"

// Attributes says what a row is about, as far as principles ask for it.
type Attributes struct {
	Jurisdiction string   `json:"jurisdiction,omitempty"` // "" where the row does not say
	Language     string   `json:"language,omitempty"`     // likewise
	Tags         []string `json:"tags,omitempty"`
}

// At reports whether a principle applies to a row.
func (a Applies) At(w Attributes) bool {
	return a.toTags(w.Tags) && a.toJurisdiction(w.Jurisdiction) && a.toLanguage(w.Language)
}

func (a Applies) toTags(tags []string) bool {
	return len(a.PromptTags) == 0 || slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(a.PromptTags, asID(tag)) })
}

func (a Applies) toJurisdiction(j string) bool {
	return len(a.Jurisdictions) == 0 || j == "" || slices.Contains(a.Jurisdictions, asID(j))
}

// asID writes what a row says as a constitution has to write it: "Foreign Policy" is foreign-policy.
func asID(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "-")
}

func (a Applies) toLanguage(l string) bool {
	return len(a.Languages) == 0 || l == "" || slices.ContainsFunc(a.Languages, func(own string) bool { return SameLanguage(own, l) })
}

// Draw returns the principle of one revision round of a row, of those that apply to it; ok is false where none does.
// The draws are by weight (evenly when all weights are 0), independent of one another, and depend on the row's seed,
// what it is about and the round alone: neither the order of calls nor other rows change them.
func (d *Document) Draw(seed uint64, round int, w Attributes) (p Principle, ok bool) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(round))
	copy(key[16:], drawDomain)
	// ChaCha8 and not PCG, since seeds and rounds that differ by one must give unrelated numbers.
	random := rand.New(rand.NewChaCha8(key))

	among, total := d.applying(w)
	if len(among) == 0 {
		return Principle{}, false
	}
	if total == 0 {
		return d.Principles[among[random.IntN(len(among))]], true
	}
	point := random.Float64() * total
	last := 0 // where rounding carries the point past the end
	for _, i := range among {
		p := d.Principles[i]
		if p.Weight == 0 {
			continue
		}
		if point < p.Weight {
			return p, true
		}
		point -= p.Weight
		last = i
	}
	return d.Principles[last], true
}

// applying are the places of the principles that apply to a row, and the sum of their weights.
func (d *Document) applying(w Attributes) (among []int, total float64) {
	for i, p := range d.Principles {
		if p.Applies.At(w) {
			among = append(among, i)
			total += p.Weight
		}
	}
	return among, total
}

// severalDomain keeps the keys of DrawSeveral apart from any other numbers made from the same seed.
const severalDomain = "principles of a judgement 1"

// DrawSeveral returns up to n different principles of those that apply, by weight and without putting any back
// (Efraimidis and Spirakis 2006): each has a key from the seed, its id and its weight alone, and the smallest keys win.
// So a principle that is edited, added or switched off takes no other one's place but its own. Where all weights are 0
// they count alike.
func (d *Document) DrawSeveral(seed uint64, n int, w Attributes) []Principle {
	type drawn struct {
		Principle
		key float64
	}
	var all []drawn
	total := 0.0
	for _, p := range d.Principles {
		if p.Applies.At(w) {
			all = append(all, drawn{Principle: p})
			total += p.Weight
		}
	}
	among := all[:0]
	for _, p := range all {
		weight := p.Weight
		if total == 0 {
			weight = 1
		}
		if weight > 0 {
			p.key = -math.Log(unit(seed, p.ID)) / weight
			among = append(among, p)
		}
	}
	slices.SortFunc(among, func(a, b drawn) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.ID, b.ID)) })
	out := make([]Principle, 0, n)
	for _, p := range among[:min(n, len(among))] {
		out = append(out, p.Principle)
	}
	return out
}

// unit is a number above 0 and at most 1, from a seed and a principle's id.
func unit(seed uint64, id string) float64 {
	b := append(binary.LittleEndian.AppendUint64([]byte(severalDomain), seed), id...)
	sum := sha256.Sum256(b)
	return (float64(binary.LittleEndian.Uint64(sum[:])>>11) + 1) / (1 << 53)
}

// preambleDomain keeps the streams of preambles apart from those of draws.
const preambleDomain = "preamble 1"

// Preamble returns a copy of the document with the demonstrations of preamble k out of several: half of them, rounded
// up, in an order of its own, which the seed decides (the paper draws its demonstrations at random too). With one preamble all are
// shown as they stand.
func (d *Document) Preamble(seed uint64, k, several int) *Document {
	chosen := *d
	if several <= 1 {
		return &chosen
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(k))
	copy(key[16:], preambleDomain)
	places := rand.New(rand.NewChaCha8(key)).Perm(len(d.Demonstrations))
	chosen.Demonstrations = nil
	for _, i := range places[:(len(places)+1)/2] {
		chosen.Demonstrations = append(chosen.Demonstrations, d.Demonstrations[i])
	}
	return &chosen
}

// WithoutDemonstration returns a copy of the document that does not have demonstration i.
func (d *Document) WithoutDemonstration(i int) *Document {
	out := *d
	out.Demonstrations = slices.Delete(slices.Clone(d.Demonstrations), i, i+1)
	return &out
}

// Select returns a copy of the document with only the principles that carry one of the given ids or tags, in
// the document's order; no names select all of them. Demonstrations stay, whatever their principle. A name
// that is neither an id nor a tag is an error which says the nearest one.
func (d *Document) Select(names []string) (*Document, error) {
	selected := *d
	if len(names) == 0 {
		return &selected, nil
	}
	known := d.selectors()
	var unknown []string
	for _, name := range names {
		if !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("%q%s", name, suggest(name, known)))
		}
	}
	if unknown != nil {
		return nil, fmt.Errorf("select principles of constitution %q: no id or tag %s; there are: %s",
			d.Name, strings.Join(unknown, ", "), strings.Join(known, ", "))
	}
	selected.Principles = nil
	for _, p := range d.Principles {
		if slices.Contains(names, p.ID) || slices.ContainsFunc(p.Tags, func(tag string) bool { return slices.Contains(names, tag) }) {
			selected.Principles = append(selected.Principles, p)
		}
	}
	return &selected, nil
}

// selectors returns every id, then every tag once.
func (d *Document) selectors() []string {
	known := d.ids()
	for _, p := range d.Principles {
		for _, tag := range p.Tags {
			if !slices.Contains(known, tag) {
				known = append(known, tag)
			}
		}
	}
	return known
}
