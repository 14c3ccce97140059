package render

import (
	"fmt"
	"time"

	"amend/cmd/amend/internal/app"
)

// reportLine is a text with the label that stands before it.
type reportLine struct{ label, text string }

// forecast says what the turns of a plan would take, and what that assumes. before is the time by what turns of the run
// took; 0 where it has none.
func forecast(f app.Forecast, before float64) []reportLine {
	out := []reportLine{
		{"memory", fmt.Sprintf("%s of weights, %s of KV cache for %s at once", Bytes(f.WeightsBytes), Bytes(f.CacheBytes), counted(f.RowsAtOnce, "row"))},
		{"tokens", between(f.PromptTokens) + " to read, " + between(f.DecodeTokens) + " to write"},
		{"speed", fmt.Sprintf("%.0f tok/s read, %s tok/s written by %s together, from steps timed now",
			f.Prefill, between(app.Range{Least: f.DecodeTokS.Most, Most: f.DecodeTokS.Least}), counted(f.Rates.Rows, "row"))},
	}
	if before > 0 {
		return append(out, reportLine{"time", "about " + seconds(before) + ", from what a turn of this run took before"})
	}
	as := "as the demonstrations'"
	if !f.Shown {
		as = "a quarter of the limit"
	}
	return append(out,
		reportLine{"time", seconds(f.Seconds.Least) + " to " + seconds(f.Seconds.Most) + ", with the preamble"},
		reportLine{"assumed", fmt.Sprintf("turns of %.0f tokens, %s, to %.0f, --max-tokens; a machine as busy as now", f.AnswerTokens.Least, as, f.AnswerTokens.Most)},
	)
}

// between writes a range in whole numbers, and one number where both ends are it.
func between(r app.Range) string {
	least, most := fmt.Sprintf("%.0f", r.Least), fmt.Sprintf("%.0f", r.Most)
	if least == most {
		return least
	}
	return least + " to " + most
}

// seconds gives a time as a person would.
func seconds(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
