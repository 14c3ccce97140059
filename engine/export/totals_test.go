package export

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/revise"
)

// TestTotals: whatever rows and options are, each row is either taken or left out for one reason that is listed, and a tally
// counts as a set does.
func TestTotals(t *testing.T) {
	texts := rapid.SampledFrom([]string{"bad", "good", "I can't help with that.", "I cannot do that.", "", "cut:bad", "unchanged:bad", "lead-in:better", "broken \ufffd", counted(0, 15)})
	rapid.Check(t, func(rt *rapid.T) {
		var rows []revise.Record
		for i := range rapid.IntRange(1, 12).Draw(rt, "rows") {
			rec := trace(string(rune('a'+i)), rapid.SliceOfN(texts, 1, 3).Draw(rt, "answers")...)
			switch rapid.IntRange(0, 4).Draw(rt, "fate") {
			case 0:
				rec = foundCleanIn(rec)
			case 1:
				if len(rec.Turns) > 1 {
					rec = refusedIn(rec)
				}
			case 2:
				rec.Error = "failed"
			}
			rows = append(rows, rec)
		}
		file := &Evaluation{Name: "eval"}
		file.Add(counted(0, 15))
		o := Options{
			Format: rapid.SampledFrom(Formats()).Draw(rt, "format"), Encoding: JSONL, ShardBytes: 1 << 20, Hygiene: rapid.Bool().Draw(rt, "hygiene"),
			NearDuplicates: rapid.SampledFrom([]float64{0, 0.5}).Draw(rt, "near"), MaxChars: rapid.SampledFrom([]int{0, 30}).Draw(rt, "chars"),
			Evaluations: []*Evaluation{file},
		}
		o.KeepFirst, o.AllRevisions = o.Format == SFT && rapid.Bool().Draw(rt, "keep"), o.Format == SFT && rapid.Bool().Draw(rt, "all")
		r, err := Write(filepath.Join(t.TempDir(), "set"), Source{Rows: rowsOf(rows...)}, o)
		if err != nil && !errors.Is(err, ErrEmpty) {
			rt.Fatal(err)
		}
		if got := r.Taken + sum(r.LeftOut); got != len(rows) || r.Read != len(rows) {
			rt.Errorf("%d taken and left out of %d rows: %+v", got, len(rows), r)
		}
		if (r.Taken == 0) != errors.Is(err, ErrEmpty) {
			rt.Errorf("%d rows taken, %v", r.Taken, err)
		}
		for why := range r.LeftOut {
			if !slices.Contains(Reasons(), why) || why.text() == "" {
				rt.Errorf("%q is not listed, or without words", why)
			}
		}
		tally := NewTally(DPO)
		for i := range rows {
			tally.Add(&rows[i])
		}
		if got := tally.Usable + sum(tally.LeftOut); got != len(rows) {
			rt.Errorf("a tally of %d of %d rows", got, len(rows))
		}
	})
}

func sum(counts map[Reason]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
