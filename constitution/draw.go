package constitution

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// drawDomain keeps the stream of principle draws apart from any other stream made from the same row seed.
const drawDomain = "principle draw 1"

// Draw returns the principle of one revision round of a row. The draws are by weight (evenly when all
// weights are 0), independent of one another, and depend on the row's seed and the round alone: neither the
// order of calls nor other rows change them. The document must have a principle, as every loaded one has.
func (d *Document) Draw(seed uint64, round int) Principle {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[0:], seed)
	binary.LittleEndian.PutUint64(key[8:], uint64(round))
	copy(key[16:], drawDomain)
	// ChaCha8 and not PCG, since seeds and rounds that differ by one must give unrelated numbers.
	random := rand.New(rand.NewChaCha8(key))

	total := 0.0
	for _, p := range d.Principles {
		total += p.Weight
	}
	if total == 0 {
		return d.Principles[random.IntN(len(d.Principles))]
	}
	point := random.Float64() * total
	last := 0 // where rounding carries the point past the end
	for i, p := range d.Principles {
		if p.Weight == 0 {
			continue
		}
		if point < p.Weight {
			return p
		}
		point -= p.Weight
		last = i
	}
	return d.Principles[last]
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
