package export

import (
	"hash/fnv"
	"math"
	"strings"
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

// duplicates are the texts seen so far. It takes some 500 bytes a text.
type duplicates struct {
	atLeast float64 // share of common shingles that makes two texts near-duplicates
	seen    []signature
	byBand  [bands]map[[bandHashes]uint32][]int32
}

func newDuplicates(atLeast float64) *duplicates {
	d := &duplicates{atLeast: atLeast}
	for i := range d.byBand {
		d.byBand[i] = map[[bandHashes]uint32][]int32{}
	}
	return d
}

// add reports whether a text is like one before it. One that is not is kept.
func (d *duplicates) add(text string) bool {
	s := sign(text)
	for i := range bands {
		for _, at := range d.byBand[i][s.band(i)] {
			if s.common(d.seen[at]) >= d.atLeast {
				return true
			}
		}
	}
	for i := range bands {
		d.byBand[i][s.band(i)] = append(d.byBand[i][s.band(i)], int32(len(d.seen)))
	}
	d.seen = append(d.seen, s)
	return false
}

// sign computes the least of each hash over a text's shingles; a text of fewer words is one shingle.
func sign(text string) (s signature) {
	for i := range s {
		s[i] = math.MaxUint32
	}
	words := strings.Fields(strings.ToLower(text))
	for i := range max(1, len(words)-shingleWords+1) {
		h := fnv.New64a()
		_, _ = h.Write([]byte(strings.Join(words[i:min(len(words), i+shingleWords)], " "))) // never fails
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

func (s *signature) band(i int) [bandHashes]uint32 {
	return [bandHashes]uint32(s[i*bandHashes : (i+1)*bandHashes])
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
