package constitution

import (
	"fmt"
	"testing"
)

// TestLintJudgements: worked judgements that teach a place or a length are reported, balanced ones are not.
func TestLintJudgements(t *testing.T) {
	const short, long = "Yes.", "Yes, and here is how."
	judgement := func(a, b string, better Side) string {
		return fmt.Sprintf("  - {prompt: Hi, principle: kind, a: %q, b: %q, better: %s}\n", a, b, better)
	}
	for _, tt := range []struct {
		name       string
		judgements string
		want       string
	}{
		{"balanced", judgement(short, long, SideA) + judgement(short, long, SideB), ""},
		{"one place", judgement(short, long, SideA) + judgement(long, short, SideA), "in all 2 judgements the better response stands in the same place"},
		{"the longer", judgement(short, long, SideB) + judgement(long, short, SideA), "in all 2 judgements the better response is the longer one"},
		{"a single one", judgement(short, long, SideB), ""},
	} {
		doc, err := Parse("j.yaml", []byte(`name: j
unsourced: A test.
principles:
  - {id: kind, text: Be kind., critique_request: c, revision_request: r, judge_instruction: j}
judgements:
`+tt.judgements))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range Lint(doc, nil) {
			got += f.String()
		}
		if tt.want != "" {
			tt.want = "j:6: " + tt.want + " [one-sided]"
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
