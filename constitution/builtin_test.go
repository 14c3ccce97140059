package constitution

import (
	"slices"
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

// TestBuiltInsLintClean: none of the embedded documents has what lint reports.
func TestBuiltInsLintClean(t *testing.T) {
	for _, name := range Names() {
		doc, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Lint(doc, nil) {
			t.Errorf("%s: %s", name, f)
		}
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
	if f := Lint(doc, []string{"forms"}); len(f) > 0 {
		t.Errorf("%v", f)
	}
}
