package export

import (
	"crypto/sha256"
	"hash/fnv"
	"math"
	"strings"

	"amend/engine/language"
)

// Near duplicates are found by MinHash (Broder 1997) in bands: a text is compared with those before it that agree with
// it in one band of hashes at least. The estimate of the share of common shingles has a standard deviation of at most
// 0.063.
const (
	shingleWords = 3
	hashes       = 64
	bands        = 16
	bandHashes   = hashes / bands
)

type signature [hashes]uint32

// alike is the share of common shingles from which on rows are counted as near-duplicates, where none is asked for. It is the
// threshold of Lee et al. (2022).
const alike = 0.8

// likeness is what a text is to those before it.
type likeness int

const (
	unlike likeness = iota
	nearly
	exactly
)

// duplicates are the texts seen so far.
type duplicates struct {
	atLeast float64 // share of common shingles that makes two texts near-duplicates
	texts   map[[sha256.Size]byte]struct{}
	seen    []signature
	// newest is the last text with a band, by the band's hash, and before the one that had it before; −1 for none.
	newest [bands]map[uint32]int32
	before [][bands]int32
}

func newDuplicates(atLeast float64) *duplicates {
	d := &duplicates{atLeast: atLeast, texts: map[[sha256.Size]byte]struct{}{}}
	for i := range d.newest {
		d.newest[i] = map[uint32]int32{}
	}
	return d
}

// add says what a text is to those before it.
func (d *duplicates) add(text string) likeness {
	sum := sha256.Sum256([]byte(text))
	if _, ok := d.texts[sum]; ok {
		return exactly
	}
	d.texts[sum] = struct{}{}
	if d.addSigned(sign(text)) {
		return nearly
	}
	return unlike
}

// addSigned reports whether a text is like one before it. One that is not is kept.
func (d *duplicates) addSigned(s signature) bool {
	var before [bands]int32
	for i := range bands {
		at, ok := d.newest[i][s.band(i)]
		if !ok {
			at = -1
		}
		before[i] = at
		for ; at >= 0; at = d.before[at][i] {
			if s.common(d.seen[at]) >= d.atLeast {
				return true
			}
		}
	}
	for i := range bands {
		d.newest[i][s.band(i)] = int32(len(d.seen))
	}
	d.seen, d.before = append(d.seen, s), append(d.before, before)
	return false
}

// sign computes the least of each hash over a text's shingles; a text of fewer words is one shingle.
func sign(text string) (s signature) {
	for i := range s {
		s[i] = math.MaxUint32
	}
	said := language.Words(text)
	for i := range max(1, len(said)-shingleWords+1) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strings.Join(said[i:min(len(said), i+shingleWords)], " "))) // never fails
		x := h.Sum64()
		for j := range s {
			s[j] = min(s[j], mix(x+uint64(j)*0x9e3779b97f4a7c15))
		}
	}
	return s
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood 2014), upper half.
func mix(x uint64) uint32 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32((x ^ x>>31) >> 32)
}

// band is a hash of some of the hashes: two texts of which it is equal are compared.
func (s *signature) band(i int) uint32 {
	var x uint64
	for _, h := range s[i*bandHashes : (i+1)*bandHashes] {
		x = x*0x9e3779b97f4a7c15 + uint64(h)
	}
	return mix(x)
}

// common estimates the share of shingles that two texts have in common, of all that either has.
func (s *signature) common(other signature) float64 {
	n := 0
	for i := range s {
		if s[i] == other[i] {
			n++
		}
	}
	return float64(n) / hashes
}
