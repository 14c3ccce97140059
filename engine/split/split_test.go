package split_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/chat"
	"amend/engine/enginetest/golden"
	"amend/engine/split"
)

func of(texts ...string) split.Place {
	var msgs []chat.Message
	for i, t := range texts {
		msgs = append(msgs, chat.Message{Role: []chat.Role{chat.User, chat.Assistant}[i%2], Text: t})
	}
	return split.Of(chat.Texts(msgs))
}

// TestShares counts 10,000 prompts: the shares are those asked for, and each number says nothing of the others.
func TestShares(t *testing.T) {
	const n, folds = 10000, 5
	held, first, both := 0, 0, 0
	var fold, heldFold [folds]int
	for i := range n {
		p := of(fmt.Sprint("prompt ", i))
		fold[p.Fold(folds)]++
		if p.FirstPart() {
			first++
		}
		if p.HeldOut(0.2) {
			held++
			heldFold[p.Fold(folds)]++
			if p.FirstPart() {
				both++
			}
		}
	}
	near := func(what string, got int, want float64) {
		if sd := math.Sqrt(want * (1 - want/n)); math.Abs(float64(got)-want) > 5*sd {
			t.Errorf("%s: %d, want about %.0f", what, got, want)
		}
	}
	near("held out", held, 0.2*n)
	near("first part", first, 0.5*n)
	near("both", both, 0.1*n)
	for i := range folds {
		near("in a fold", fold[i], n/folds)
		near("held out in a fold", heldFold[i], 0.2*n/folds)
	}
}

// TestHeldOutGrows: what a share holds out a larger one does, too; 0 holds out nothing and 1 everything.
func TestHeldOutGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := of(rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "texts")...)
		a, b := rapid.Float64Range(0, 1).Draw(t, "share"), rapid.Float64Range(0, 1).Draw(t, "another")
		if p.HeldOut(min(a, b)) && !p.HeldOut(max(a, b)) {
			t.Fatalf("held out of %v and not of %v", min(a, b), max(a, b))
		}
		if p.HeldOut(0) || !p.HeldOut(1) {
			t.Fatalf("%v, %v", p.HeldOut(0), p.HeldOut(1))
		}
	})
}

// TestGoldenPlaces pins where prompts lie: trained models and training sets of older versions hold others out by it.
func TestGoldenPlaces(t *testing.T) {
	var lines []string
	for i := range 20 {
		texts := []string{fmt.Sprint("prompt ", i), "an answer", "another question"}[:1+i%2*2]
		p := of(texts...)
		lines = append(lines, fmt.Sprintf("%q: first part %v, folds %d of 5 and %d of 7, held out of 0.2 %v", texts, p.FirstPart(), p.Fold(5), p.Fold(7), p.HeldOut(0.2)))
	}
	golden.Check(t, "places", lines)
}
