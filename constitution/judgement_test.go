package constitution

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const (
	judgedLayer = `
name: low
unsourced: A test.
prompts: {critique_request: "c {text}", revision_request: "r {text}", judge_instruction: "j {text}"}
principles:
  - {id: kind, text: Be kind.}
  - {id: brief, text: Be brief.}
  - {id: loud, text: Be loud.}
judgements:
  - {prompt: tested kind, principle: kind, a: x, b: y, better: a, use: test}
  - {prompt: shown loud, principle: loud, a: x, b: y, better: b, reasons: Why., use: show}
  - {prompt: tested brief, principle: brief, a: x, b: y, better: b, use: test}
  - {prompt: tested loud, principle: loud, a: x, b: y, better: a, use: test}
  - {prompt: shown kind, principle: kind, a: x, b: y, better: a}
`
	testingLayer = `
name: high
extends: [low.yaml]
principles:
  - {id: loud, off: true, reason: Quiet is the custom.}
judgements:
  - {prompt: tested kind again, principle: kind, a: x, b: y, better: b, use: test}
`
	showingLayer = `
name: higher
extends: [high.yaml]
judgements:
  - {prompt: shown brief, principle: brief, a: x, b: y, better: a}
`
)

// TestVerdictRequests: the template makes those of principles that forbid something, and of judgements under any principle. A
// principle's own holds, whatever its framing.
func TestVerdictRequests(t *testing.T) {
	low := `
name: low
prompts: {critique_request: "c {text}", revision_request: "r {text}", judge_instruction: "j {text}", verdict_request: "v {text}"}
principles:
  - {id: kind, text: Be kind., framing: positive}
  - {id: quiet, text: Do not shout., framing: negative}
  - {id: plain, text: Be plain.}
  - {id: frank, text: Be frank., framing: positive, verdict_request: "Is it frank?"}
judgements:
  - {prompt: p, principle: kind, a: x, b: y, better: a}
  - {prompt: p, principle: frank, a: x, b: y, better: a, use: test}
`
	high := "name: high\nextends: [low.yaml]\nprinciples:\n  - {id: kind, framing: negative, reason: It is meant so.}\n"
	path := write(t, map[string]string{"low.yaml": low, "high.yaml": high})
	for file, want := range map[string]string{
		"low.yaml":  " | v Do not shout. |  | Is it frank? | v Be kind. | Is it frank?",
		"high.yaml": "v Be kind. | v Do not shout. |  | Is it frank? | v Be kind. | Is it frank?",
	} {
		doc, err := Load(path(file))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range doc.Principles {
			got = append(got, p.VerdictRequest)
		}
		for _, j := range doc.Judgements {
			got = append(got, j.VerdictRequest)
		}
		if strings.Join(got, " | ") != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

// TestJudgementsOfLayers: a layer replaces the judgements that are shown as a whole, and tests by their principle. Those
// of a principle that is off go. What is composed can be read back.
func TestJudgementsOfLayers(t *testing.T) {
	path := write(t, map[string]string{"low.yaml": judgedLayer, "high.yaml": testingLayer, "higher.yaml": showingLayer})
	for _, tt := range []struct{ file, shown, tested, origins string }{
		{"low.yaml", "shown loud, shown kind", "tested kind, tested brief, tested loud", "low 11, low 14, low 10, low 12, low 13"},
		{"high.yaml", "shown kind", "tested brief, tested kind again", "low 14, low 12, high 7"},
		{"higher.yaml", "shown brief", "tested brief, tested kind again", "higher 5, low 12, high 7"},
	} {
		doc, err := Load(path(tt.file))
		if err != nil {
			t.Fatal(err)
		}
		var origins []string
		for i := range doc.Judgements {
			o := doc.Origins[fmt.Sprint("judgements.", i)]
			origins = append(origins, strings.ReplaceAll(o.String(), ", line", ""))
		}
		shown, tested := prompts(doc.Shown()), prompts(doc.Tested())
		if shown != tt.shown || tested != tt.tested || strings.Join(origins, ", ") != tt.origins {
			t.Errorf("%s shows %s; tests with %s; from %s", tt.file, shown, tested, origins)
		}
		for _, j := range doc.Judgements {
			if p, _ := doc.Principle(j.Principle); j.JudgeInstruction != p.JudgeInstruction {
				t.Errorf("%s: %s asks %q", tt.file, j.Prompt, j.JudgeInstruction)
			}
		}
		for _, p := range doc.Off {
			if out := p.Chain[len(p.Chain)-1].LeftOut(); (tt.file == "high.yaml") != (out == "left out with it: 1 judgement") {
				t.Errorf("%s: %q", tt.file, out)
			}
		}
		text := written(t, doc)
		if back, err := Parse("back.yaml", []byte(text)); err != nil || !reflect.DeepEqual(back.Judgements, doc.Judgements) {
			t.Errorf("%s reads back as %v, %v", text, back, err)
		}
	}
}

func written(t *testing.T, doc *Document) string {
	t.Helper()
	text, err := doc.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prompts are those of demonstrations or judgements.
func prompts[T Demonstration | Judgement](examples []T) string {
	var out []string
	for _, e := range examples {
		switch e := any(e).(type) {
		case Demonstration:
			out = append(out, e.Prompt)
		case Judgement:
			out = append(out, e.Prompt)
		}
	}
	return strings.Join(out, ", ")
}

// TestTestsAreNoOtherDocument: tests change neither the hash nor what is shown, and a difference counts them apart.
func TestTestsAreNoOtherDocument(t *testing.T) {
	parse := func(text string) *Document {
		doc, err := Parse("low.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	with := parse(judgedLayer)
	var kept, tests []string
	for line := range strings.Lines(judgedLayer) {
		if !strings.Contains(line, "use: test") {
			kept = append(kept, line)
		} else {
			tests = append(tests, line)
		}
	}
	without := parse(strings.ReplaceAll(strings.Join(kept, ""), ", use: show", ""))
	// The hash of this document before judgements had a use.
	if want := "358737a184572d9ef6b6817bdc887c23f043518634c02e3b27fa9d639c5f9717"; without.Hash() != want || with.Hash() != want {
		t.Errorf("the hashes are %s and %s, not %s", without.Hash(), with.Hash(), want)
	}
	if !reflect.DeepEqual(without.Shown(), with.Shown()) || !reflect.DeepEqual(without.Judgements, without.Shown()) {
		t.Errorf("shown are %v and %v", without.Shown(), with.Shown())
	}
	atEnd := parse(strings.ReplaceAll(strings.Join(kept, ""), ", use: show", "") + strings.Join(tests, ""))
	if a, b := written(t, without), written(t, atEnd.WithoutTests()); a != b {
		t.Errorf("without its tests it is written as %s, not %s", b, a)
	}
	want := Difference{Added: []Principle{}, Removed: []Principle{}, Changed: []Edit{}, TestsAdded: 3}
	if d := Diff(without, with); !reflect.DeepEqual(d, want) || d.Empty() {
		t.Errorf("the difference is %+v", d)
	}
	if d := Diff(with, without); d.TestsRemoved != 3 || d.TestsAdded != 0 {
		t.Errorf("the other way it is %+v", d)
	}
}
