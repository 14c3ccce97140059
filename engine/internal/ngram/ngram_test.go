package ngram

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestGuessFollowsACopy: a text that repeats an earlier one is drafted token
// for token once its first two came, and the rate rises to it.
func TestGuessFollowsACopy(t *testing.T) {
	draft := []Token{10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25}
	d := New(slices.Concat(draft, []Token{1, 2, 3}))
	if got := d.Draft(4); got != nil {
		t.Fatalf("guessed %v where nothing repeats", got)
	}
	for i, tok := range draft[:14] {
		if i >= 2 {
			if got := d.Draft(2); !slices.Equal(got, draft[i:i+2]) {
				t.Errorf("after %d tokens of the copy: guessed %v, it goes on %v", i, got, draft[i:i+2])
			}
		}
		d.Add(tok)
	}
	if got, first := d.ExpectedAccepted(1)[0], *firstRates.of(d.matched); got <= first {
		t.Errorf("a rate of %v after twelve right guesses, %v before", got, first)
	}
}

// TestGuessesAreWhatCameAfterTheSame: against a search of the whole text, a
// drafted token always continues a place where the last two tokens came before, and
// there is one whenever there is such a place.
func TestGuessesAreWhatCameAfterTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Int32Range(1, 4), 0, 40).Draw(t, "text")
		at := rapid.IntRange(0, len(text)).Draw(t, "given at once")
		d := New(text[:at])
		for _, tok := range text[at:] {
			d.Add(tok)
		}
		places := 0
		guess := d.Draft(3)
		for i := least; i < len(text); i++ {
			if slices.Equal(text[i-least:i], text[len(text)-least:]) {
				places++
			}
		}
		if (places > 0) != (len(guess) > 0) {
			t.Fatalf("%v: guess %v, %d places", text, guess, places)
		}
		follows := false
		for i := least; i < len(text); i++ {
			if slices.Equal(text[i-least:i], text[len(text)-least:]) && slices.Equal(text[i:min(len(text), i+3)], guess) {
				follows = true
			}
		}
		if len(guess) > 0 && !follows {
			t.Fatalf("%v: guess %v never came after %v", text, guess, text[len(text)-least:])
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	text := make([]Token, 2000)
	for i := range text {
		text[i] = Token(i * i % 97)
	}
	d := New(text)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d.Add(Token(i % 97))
		d.Draft(8)
		if i%1000 == 999 {
			b.StopTimer()
			d = New(text)
			b.StartTimer()
		}
	}
}

// TestRightAddsUp: a drafted token counts only if those before it were right, so each
// adds at most what the one before it did; and there are as many numbers as
// drafted tokens.
func TestRightAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := New(nil)
		for _, tok := range rapid.SliceOfN(rapid.Int32Range(1, 3), 0, 60).Draw(t, "text") {
			d.Add(tok)
		}
		n := rapid.IntRange(0, Ahead).Draw(t, "n")
		right := d.ExpectedAccepted(n)
		if len(right) != len(d.Draft(n)) {
			t.Fatalf("%d numbers for %d guesses", len(right), len(d.Draft(n)))
		}
		before, sum := 1.0, 0.0
		for i, r := range right {
			if more := r - sum; more < 0 || more > before {
				t.Fatalf("guess %d adds %v, the one before it %v: %v", i, more, before, right)
			} else {
				before, sum = more, r
			}
		}
	})
}
