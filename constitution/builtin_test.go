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
