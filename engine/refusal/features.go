package refusal

import (
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// How much of a response is read.
const (
	maxWords    = 300 // what follows says no more about whether it declines
	longest     = 4   // words of an n-gram in the first two sentences
	longestRest = 3   // words of an n-gram anywhere
)

var listItem = regexp.MustCompile(`(?m)^\s*(?:\d+[.):]|[-*•])\s+\S`)

// Features names what a response has, each once and always in the same order. The first character says where: "1" and "2" are
// runs of words in the first two sentences, "^" is how the response begins, "z" the last sentence, "*" anywhere, and "#" its shape.
// What the prompt says is left out: it helped too little when it was tried.
func Features(response string) []string {
	return featuresOf(response, sentences(response))
}

func featuresOf(response string, all [][]string) []string {
	set := features{seen: map[string]bool{}}
	words := 0
	for i, s := range all {
		if words > maxWords {
			break
		}
		words += len(s)
		switch i {
		case 0:
			set.grams("1 ", s, longest)
			for n := 1; n <= min(longest, len(s)); n++ {
				set.add("^ " + strings.Join(s[:n], " "))
			}
		case 1:
			set.grams("2 ", s, longest)
		}
		set.grams("* ", s, longestRest)
	}
	if n := len(all); n > 2 {
		set.grams("z ", all[n-1], longestRest)
	}
	set.shape(response, all)
	return set.names
}

// features are names of what was found, each once.
type features struct {
	names []string
	seen  map[string]bool
}

func (f *features) add(name string) {
	if !f.seen[name] {
		f.seen[name] = true
		f.names = append(f.names, name)
	}
}

// grams adds each run of 1 to n words.
func (f *features) grams(place string, words []string, n int) {
	for i := range words {
		for k := 1; k <= n && i+k <= len(words); k++ {
			f.add(place + strings.Join(words[i:i+k], " "))
		}
	}
}

// shape adds how long a response is, and whether it has list items or code.
func (f *features) shape(response string, all [][]string) {
	words := 0
	for _, s := range all {
		words += len(s)
	}
	f.add("# words " + strconv.Itoa(bits.Len(uint(words)))) // by factors of two
	f.add("# sentences " + strconv.Itoa(min(8, len(all))))
	for i := range listItem.FindAllStringIndex(response, 4) {
		f.add("# items " + strconv.Itoa(i+1))
	}
	if strings.Contains(response, "```") {
		f.add("# code")
	}
}
