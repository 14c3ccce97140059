package export

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/revise"
)

// TestDuplicates: texts with the share of common shingles asked for are found, others are not, whatever the order.
func TestDuplicates(t *testing.T) {
	words := strings.Fields("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty")
	text := strings.Join(words, " ")
	near := strings.Join(append(slices.Clone(words[:19]), "thirty"), " ") // 17 of 19 triples in common
	d := newDuplicates(0.7)
	for _, tt := range []struct {
		text string
		want likeness
	}{{text, unlike}, {text, exactly}, {strings.ToUpper(text), nearly}, {near, nearly}, {"another text of other words altogether", unlike}, {"", unlike}, {"", exactly}, {"short", unlike}} {
		if got := d.add(tt.text); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.SampledFrom(words), 3, 80).Draw(t, "a")
		b := rapid.SliceOfN(rapid.SampledFrom(words), 3, 80).Draw(t, "b")
		x, y := sign(strings.Join(a, " ")), sign(strings.Join(b, " "))
		if got, want := x.common(y), jaccard(a, b); got < want-0.35 || got > want+0.35 { // 5.6 standard deviations
			t.Errorf("estimated %.2f, is %.2f", got, want)
		}
	})
}

func jaccard(a, b []string) float64 {
	set := func(words []string) map[string]bool {
		out := map[string]bool{}
		for i := 0; i+shingleWords <= len(words); i++ {
			out[strings.Join(words[i:i+shingleWords], " ")] = true
		}
		return out
	}
	x, y := set(a), set(b)
	both := 0
	for s := range x {
		if y[s] {
			both++
		}
	}
	return float64(both) / float64(len(x)+len(y)-both)
}

// TestDuplicatesAreCounted: they are in the set all the same, unless they are to be left out.
func TestDuplicatesAreCounted(t *testing.T) {
	rows := []revise.Record{trace("a", "bad", counted(0, 40)), trace("a", "bad", counted(0, 40)), trace("a", "bad", counted(0, 41)), trace("b", "bad", counted(50, 40))}
	if _, r := write(t, Options{Format: SFT}, rows...); r.Taken != 4 || r.Exact != 1 || r.Near != 1 || r.Threshold != alike {
		t.Errorf("%+v", r)
	}
	if _, r := write(t, Options{Format: SFT, NearDuplicates: 0.5}, rows...); r.Taken != 2 || r.LeftOut[NearDuplicate] != 2 || r.Exact+r.Near != 0 || r.Threshold != 0.5 {
		t.Errorf("%+v", r)
	}
}
