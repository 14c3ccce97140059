package constitution

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// overlays are the embedded documents that extend udhr.
var overlays = []string{"achr", "arab", "asean", "banjul", "echr"}

// TestOverlays: each overlay changes udhr in substance, says why, cites what it adds, and any two go together.
func TestOverlays(t *testing.T) {
	core, err := Load("udhr")
	if err != nil {
		t.Fatal(err)
	}
	if len(core.Principles) < 25 {
		t.Errorf("udhr has %d principles", len(core.Principles))
	}
	for i, name := range overlays {
		doc, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var added, changed int
		for _, p := range doc.Principles {
			last := p.Chain[len(p.Chain)-1]
			if last.Layer != name {
				continue
			}
			if last.Action == Added {
				added++
			} else {
				changed++
			}
			if !slices.ContainsFunc(p.Sources, func(s Source) bool {
				return s.Instrument != core.Principles[0].Sources[0].Instrument && s.Article != ""
			}) {
				t.Errorf("%s: %s is of no article of its own", name, p.ID)
			}
		}
		if added < 4 || changed < 3 {
			t.Errorf("%s adds %d principles and changes %d", name, added, changed)
		}
		if len(doc.Layers) != 2 || doc.Layers[0].Name != "udhr" || len(doc.Demonstrations) != len(core.Demonstrations) {
			t.Errorf("%s: layers %v, %d demonstrations", name, doc.Layers, len(doc.Demonstrations))
		}
		for _, other := range overlays[:i] {
			if _, err := Load(other, name); err != nil {
				t.Errorf("%s on %s: %v", name, other, err)
			}
		}
	}
}

// TestBuiltInsLintClean: lint finds nothing in the embedded documents except requests in the paper's words.
func TestBuiltInsLintClean(t *testing.T) {
	for _, name := range Names() {
		doc, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Lint(doc, nil) {
			if f.Rule != "presupposes" {
				t.Errorf("%s: %s", name, f)
			}
		}
	}
}

// TestSkeleton: the skeleton has the name that it is asked for and nothing that lint reports.
func TestSkeleton(t *testing.T) {
	doc, err := Parse("ours.yaml", []byte(Skeleton("ours")))
	if err != nil {
		t.Fatal(err)
	}
	if f := Lint(doc, []Attributes{{Tags: []string{"emergency"}}, {Language: "de"}}); len(f) > 0 || doc.Name != "ours" || len(doc.Tested()) == 0 {
		t.Errorf("%s: %v", doc.Name, f)
	}
}

// TestComposedStandsAlone: what is written of a composition reads back as the same principles, draws and few-shots.
func TestComposedStandsAlone(t *testing.T) {
	for _, names := range [][]string{{"hhh"}, {"testbed"}, {"banjul"}, {"echr", "arab"}} {
		doc, err := Load(names...)
		if err != nil {
			t.Fatal(err)
		}
		text, err := doc.YAML()
		if err != nil {
			t.Fatal(err)
		}
		back, err := Parse("composed.yaml", text)
		if err != nil {
			t.Fatal(err)
		}
		if back.Hash() != doc.Hash() || !Diff(doc, back).Empty() {
			t.Errorf("%v reads back as another document: %+v", names, Diff(doc, back))
		}
	}
}

// TestExample: the layer that docs/constitutions.md explains does what the page says.
func TestExample(t *testing.T) {
	doc, err := Load("../examples/clinic.yaml")
	if err != nil {
		t.Fatal(err)
	}
	below, err := Load("echr")
	if err != nil {
		t.Fatal(err)
	}
	d := Diff(below, doc)
	if len(d.Added) != 2 || len(d.Removed) != 1 || d.Removed[0].ID != "participation" || len(d.Changed) != 1 || *d.Changed[0].Weight != [2]float64{1, 3} {
		t.Errorf("%+v", d)
	}
	for _, f := range Lint(doc, []Attributes{{Tags: []string{"forms"}}}) {
		if f.Level == Error {
			t.Error(f)
		}
	}
}

// TestBuiltInTests: each embedded document has tests enough, of all principles that it gives, and the better response stands as
// often first as second, and is as often the longer as the shorter one, in either place.
func TestBuiltInTests(t *testing.T) {
	for _, name := range Names() {
		doc, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		least := 16
		if name == "hhh" {
			least = 40
		}
		tests, cells, covered := given(doc, name), map[string]int{}, map[string]int{}
		for _, j := range tests {
			better, worse := sides(j)
			cells[fmt.Sprint(j.Better, len(better) > len(worse))]++
			covered[j.Principle]++
			for _, text := range []string{j.A, j.B} {
				if n := len(strings.Fields(text)); n < 15 || n > 70 {
					t.Errorf("%s: a response has %d words: %s", name, n, text)
				}
			}
		}
		if len(tests) < least || len(doc.Shown()) > manyShown {
			t.Errorf("%s has %d tests and shows %d judgements", name, len(tests), len(doc.Shown()))
		}
		if low, high := spread(cells); len(cells) != 4 || high-low > 1 {
			t.Errorf("%s: of place and being longer, %v", name, cells)
		}
		if low, high := spread(covered); high-low > 1 {
			t.Errorf("%s: some principles are tested %d times, some %d", name, low, high)
		}
		for _, p := range doc.Principles {
			if p.Chain[len(p.Chain)-1].Layer == name && covered[p.ID] == 0 {
				t.Errorf("%s: nothing tests %s", name, p.ID)
			}
		}
	}
}

// given are the tests that an embedded document gives itself.
func given(doc *Document, name string) []Judgement {
	var out []Judgement
	for i, j := range doc.Judgements {
		if j.Use == UseTest && doc.Origins[fmt.Sprintf("judgements.%d", i)].Layer == name {
			out = append(out, j)
		}
	}
	return out
}

func sides(j Judgement) (better, worse string) {
	if j.Better == SideB {
		return j.B, j.A
	}
	return j.A, j.B
}

func spread(counts map[string]int) (low, high int) {
	low = math.MaxInt
	for _, n := range counts {
		low, high = min(low, n), max(high, n)
	}
	return low, high
}

// TestBuiltInTestsNeedReading: no rule that looks at the surface tells the better response, in what a layer gives and in what
// it is composed of.
func TestBuiltInTestsNeedReading(t *testing.T) {
	for _, rule := range []struct {
		name  string
		score func(side Side, text string) float64
		most  float64 // how far from one half
	}{
		{"(A)", func(side Side, _ string) float64 { return float64(strings.Count(string(side), "a")) }, 0.1},
		{"the longer one", func(_ Side, text string) float64 { return float64(len(text)) }, 0.1},
		{"the one with more words of refusal", count(`(?i)\b(sorry|can't|cannot|won't|unable|not able|afraid|unfortunately)\b`), 0.15},
		{"the one that opens with a no", count(`^(No|Not|Don't|Never|None|Nothing)\b`), 0.15},
		{"the one that opens with a yes", count(`^(Yes|Sure|Of course|Go ahead)\b`), 0.15},
		{"the one with more questions", count(`\?`), 0.15},
		{"the one with more sentences", count(`[.!?]`), 0.15},
		{"the one with more commas", count(`,`), 0.2},
		{"the one with more colons", count(`:`), 0.15},
		{"the one with more quotes", count(`"`), 0.15},
	} {
		for _, name := range Names() {
			doc, err := Load(name)
			if err != nil {
				t.Fatal(err)
			}
			for what, tests := range map[string][]Judgement{"its own": given(doc, name), "all": doc.Tested()} {
				if got := share(tests, rule.score); math.Abs(got-0.5) > rule.most {
					t.Errorf("%s, %s tests: %s is the better one in %.0f %%", name, what, rule.name, 100*got)
				}
			}
		}
	}
}

// count makes a score of how often a pattern is in a text.
func count(pattern string) func(Side, string) float64 {
	re := regexp.MustCompile(pattern)
	return func(_ Side, text string) float64 { return float64(len(re.FindAllString(text, -1))) }
}

// share is how often the better response has the higher score; the same score counts as half.
func share(tests []Judgement, score func(Side, string) float64) float64 {
	right := 0.0
	for _, j := range tests {
		a, b := score(SideA, j.A), score(SideB, j.B)
		switch {
		case a == b:
			right += 0.5
		case (a > b) == (j.Better == SideA):
			right++
		}
	}
	return right / float64(len(tests))
}

// TestBuiltInPromptsDiffer: no prompt of a worked example, a test or examples/prompts.jsonl is another's, or nearly.
func TestBuiltInPromptsDiffer(t *testing.T) {
	seen := examplePrompts(t)
	for _, name := range Names() {
		doc, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		var own []string
		for _, m := range doc.Demonstrations {
			own = append(own, m.Prompt)
		}
		for _, j := range doc.Judgements {
			own = append(own, j.Prompt)
		}
		if len(doc.Layers) > 1 { // the examples of the layers below are theirs
			own = nil
			for _, j := range given(doc, name) {
				own = append(own, j.Prompt)
			}
		}
		for _, prompt := range own {
			for _, other := range seen {
				if common(prompt, other) >= 0.5 {
					t.Errorf("%s: %q is much like %q", name, prompt, other)
				}
			}
			seen = append(seen, prompt)
		}
	}
}

// examplePrompts are what users say in examples/prompts.jsonl.
func examplePrompts(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../examples/prompts.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		var row struct {
			Prompt   string
			Messages []struct{ Role, Content string }
		}
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Prompt != "" {
			out = append(out, row.Prompt)
		}
		for _, m := range row.Messages {
			if m.Role == "user" {
				out = append(out, m.Content)
			}
		}
	}
	return out
}
