package constitution

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// findings are the findings of a document, one a line, without those of some rules.
func findings(t *testing.T, text string, rows []Attributes, without ...string) string {
	t.Helper()
	doc, err := Parse("j.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range Lint(doc, rows) {
		if !slices.Contains(without, f.Rule) {
			out = append(out, f.String())
		}
	}
	return strings.Join(out, "\n")
}

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
		{"five", balanced + balanced + judgement(short, long, SideA), "j.yaml:6: warning: 5 judgements are shown to the judge; with more than 4 little is left of a small context. Those with use: test are not shown [many-shown]"},
		{"balanced tests", balanced + test("Who?", SideA) + test("What?", SideB) + test("When?", SideA), ""},
		{"tests in one place", balanced + test("Who?", SideA) + test("What?", SideA), "j.yaml:8: error: in all 2 tests the better response stands in the same place [one-sided]"},
		{"a test that is shown", balanced + test("Who?", SideA) + test("Hi", SideB), `j.yaml:9: error: the judge is tested with a prompt that it is shown, "Hi" [seen-test]`},
		{"one place", judgement(short, long, SideA) + judgement(long, short, SideA), "j.yaml:6: error: in all 2 judgements the better response stands in the same place [one-sided]"},
		{"the longer", judgement(short, long, SideB) + judgement(long, short, SideA), "j.yaml:6: error: in all 2 judgements the better response is the longer one [one-sided]"},
		{"a single one", judgement(short, long, SideB), ""},
	} {
		got := findings(t, `name: j
unsourced: A test.
principles:
  - {id: kind, text: Be kind., critique_request: c, revision_request: r, judge_instruction: j}
judgements:
`+tt.judgements, nil, "no-demonstrations")
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLintDemonstrations: a document without demonstrations is reported, and one whose demonstrations always find something.
func TestLintDemonstrations(t *testing.T) {
	const (
		rude  = "  - {prompt: Hi, response: Go., principle: kind, critique: It is rude., revision: Hello!}\n"
		fine  = "  - {prompt: Hi, response: Hello!, principle: kind, critique: It is kind., revision: Hello!}\n"
		said  = "  - {prompt: Hi, response: Hello!, principle: kind, critique: I find nothing to correct here., revision: Hello there!}\n"
		words = "  - {prompt: Hi, response: Hello!, principle: kind, critique: There is nothing wrong with it., revision: Hello there!}\n"
	)
	for _, tt := range []struct{ name, demonstrations, want string }{
		{"none", "", "j.yaml: warning: there are no demonstrations, and without any small models often write a critique where a revision is due: give three or more [no-demonstrations]"},
		{"always a fault", rude + rude, "j.yaml:4: warning: none of the 2 demonstrations finds nothing to correct, so a model learns to always find something: let one in three leave a good response as it is [no-clean-case]"},
		{"a response that is kept", rude + fine, ""},
		{"a critique that says so", rude + said, ""},
		{"in other words", rude + words, ""},
	} {
		text := "name: j\nunsourced: A test.\nprinciples:\n  - {id: kind, text: Be kind., critique_request: c, revision_request: r, judge_instruction: j}\n"
		if tt.demonstrations != "" {
			text = strings.Replace(text, "principles:", "demonstrations:\n"+tt.demonstrations+"principles:", 1)
		}
		if got := findings(t, text, nil); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestPresupposes: requests that a model can only answer by finding a breach.
func TestPresupposes(t *testing.T) {
	for request, want := range map[string]bool{
		"Identify specific ways in which the response is harmful.":                                         true,
		"Identify specific ways in which the response is harmful. If there is nothing to correct, say so.": false,
		"Please list all ways in which it helps anyone to steal.":                                          true,
		"Say where the last response is unkind.":                                                           true,
		"Where does the response break this rule? Be kind.":                                                true,
		"In what ways is it unkind?":                                                                       true,
		"Does it keep to this principle? Be kind.":                                                         false,
		"Discuss whether the response is kind.":                                                            false,
		"Say whether the response is kind, and quote it.":                                                  false,
		"Point out what is unkind, if anything.":                                                           true, // the way out is missed
		"Identify harmful content, if any.":                                                                false,
		"Critique the response.":                                                                           false,
		"Explain, if it does, how the response helps a thief.":                                             false,
	} {
		if got := presupposes(request); got != want {
			t.Errorf("%q: %v", request, got)
		}
	}
}

// TestLintRequests: leading requests are one finding, and so are principles without a judge's instruction.
func TestLintRequests(t *testing.T) {
	got := findings(t, `name: j
prompts: {revision_request: "r {text}"}
principles:
  - {id: a, text: Be kind., critique_request: "Is it kind?", judge_instruction: j}
  - {id: b, text: Be brief., critique_request: Say what is long.}
  - {id: c, text: Do smile., critique_request: Say what is grim.}
`, nil, "no-demonstrations")
	want := `j.yaml:5: warning: b: 2 of 3 critique requests take a breach for granted, of which this is the first. A model then finds one in any response: ask whether there is one, or add "If there is nothing to correct, say so." [presupposes]
j.yaml:5: warning: b: 2 of 3 principles have no judge_instruction, of which this is the first: no gate and no judge can be asked under them. One template in prompts is enough [no-judge-instruction]`
	if got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestLintSources: house rules that cite nothing are well; one that cites nothing among others that do is not.
func TestLintSources(t *testing.T) {
	text := "name: j\nprinciples:\n  - {id: a, text: Be kind., critique_request: c, revision_request: r, judge_instruction: j}\n  - {id: b, text: Do smile., critique_request: c, revision_request: r, judge_instruction: j}\n"
	if got := findings(t, text, nil, "no-demonstrations"); got != "" {
		t.Errorf("house rules: %s", got)
	}
	text = strings.Replace(text, "{id: a,", `{id: a, sources: [{instrument: Treaty, article: "1"}],`, 1)
	if got := findings(t, text, nil, "no-demonstrations"); !strings.HasPrefix(got, "j.yaml:4: warning: b: cites no instrument") {
		t.Errorf("one of two: %s", got)
	}
	if got := findings(t, "unsourced: A test.\n"+text, nil, "no-demonstrations"); got != "" {
		t.Errorf("with a reason: %s", got)
	}
}

// TestLintRows: principles that no row draws are reported with what stands in the way, and rows that draw none.
func TestLintRows(t *testing.T) {
	text := `name: j
principles:
  - {id: tides, text: a, critique_request: c, revision_request: r, judge_instruction: j, applies: {prompt_tags: [tides, moon]}}
  - {id: english, text: b, critique_request: c, revision_request: r, judge_instruction: j, applies: {languages: [en]}}
  - {id: cape, text: c, critique_request: c, revision_request: r, judge_instruction: j, applies: {jurisdictions: [za]}}
  - {id: both, text: d, critique_request: c, revision_request: r, judge_instruction: j, applies: {languages: [fr], jurisdictions: [za]}}
  - {id: idle, text: e, critique_request: c, revision_request: r, judge_instruction: j, weight: 0, tags: [x], applies: {languages: [en]}}
  - {id: odd, text: f, critique_request: c, revision_request: r, judge_instruction: j, applies: {languages: [Klingonish]}}
`
	odd := `j.yaml:8: warning: odd: is for the language "Klingonish", which is neither a tag such as en nor an English name [unknown-language]`
	for _, tt := range []struct {
		name string
		rows []Attributes
		want []string
	}{
		{"no rows at hand", nil, []string{odd}},
		{"rows that say nothing", []Attributes{{}}, []string{odd,
			`j.yaml:3: error: tides: is for prompts with the tag tides or moon, and no prompt has it [unreachable]`}},
		{"rows of other kinds", []Attributes{{Language: "fr", Tags: []string{"Mars"}}, {Language: "German", Jurisdiction: "nl"}}, []string{odd,
			`j.yaml:3: error: tides: is for prompts with the tag tides or moon, and no prompt has it; there are Mars [unreachable]`,
			`j.yaml:4: error: english: is for prompts in the language en, and all say another one; there are fr, German [unreachable]`,
			`j.yaml:7: error: idle: is for prompts in the language en, and all say another one; there are fr, German [unreachable]`,
			`j.yaml:8: error: odd: is for prompts in the language Klingonish, and all say another one; there are fr, German [unreachable]`,
			`j.yaml: error: no principle applies to 1 of 2 rows; the first is row 2, whose tags are [], language "German", jurisdiction "nl" [no-principle]`}},
		{"never both", []Attributes{{Language: "English", Jurisdiction: "za", Tags: []string{"tides"}}, {Language: "fr", Jurisdiction: "nl"}}, []string{odd,
			`j.yaml:6: error: both: none of 2 prompts meets all that it applies to [unreachable]`,
			`j.yaml:8: error: odd: is for prompts in the language Klingonish, and all say another one; there are English, fr [unreachable]`,
			`j.yaml: error: no principle applies to 1 of 2 rows; the first is row 2, whose tags are [], language "fr", jurisdiction "nl" [no-principle]`}},
		{"a row for each", []Attributes{{Language: "EN", Jurisdiction: "ZA", Tags: []string{"Moon"}}, {Language: "French", Jurisdiction: "za"}, {Language: "klingonish"}}, []string{odd}},
	} {
		if got, want := findings(t, text, tt.rows, "no-demonstrations", "near-duplicate"), strings.Join(tt.want, "\n"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, want)
		}
	}
}
