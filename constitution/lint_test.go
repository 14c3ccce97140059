package constitution

import (
	"fmt"
	"testing"
)

// TestLintJudgements: judgements that teach a place or a length or are too many are reported, and tests that the judge has
// seen; balanced ones are not.
func TestLintJudgements(t *testing.T) {
	const short, long = "Yes.", "Yes, and here is how."
	judgement := func(a, b string, better Side) string {
		return fmt.Sprintf("  - {prompt: Hi, principle: kind, a: %q, b: %q, better: %s}\n", a, b, better)
	}
	test := func(prompt string, better Side) string {
		return fmt.Sprintf("  - {prompt: %q, principle: kind, a: %q, b: %q, better: %s, use: test}\n", prompt, short, long, better)
	}
	balanced := judgement(short, long, SideA) + judgement(short, long, SideB)
	for _, tt := range []struct {
		name       string
		judgements string
		want       string
	}{
		{"balanced", balanced, ""},
		{"four", balanced + balanced, ""},
		{"five", balanced + balanced + judgement(short, long, SideA), "j:6: 5 judgements are shown to the judge; with more than 4 little is left of a small context. Those with use: test are not shown [many-shown]"},
		{"balanced tests", balanced + test("Who?", SideA) + test("What?", SideB) + test("When?", SideA), ""},
		{"tests in one place", balanced + test("Who?", SideA) + test("What?", SideA), "j:8: in all 2 tests the better response stands in the same place [one-sided]"},
		{"a test that is shown", balanced + test("Who?", SideA) + test("Hi", SideB), `j:9: the judge is tested with a prompt that it is shown, "Hi" [seen-test]`},
		{"one place", judgement(short, long, SideA) + judgement(long, short, SideA), "j:6: in all 2 judgements the better response stands in the same place [one-sided]"},
		{"the longer", judgement(short, long, SideB) + judgement(long, short, SideA), "j:6: in all 2 judgements the better response is the longer one [one-sided]"},
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
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
