package feedback

import (
	"reflect"
	"testing"

	"amend/constitution"
)

// TestShotsHoldNoTests: a judge never sees the judgements that it is tested with.
func TestShotsHoldNoTests(t *testing.T) {
	for _, name := range constitution.Names() {
		doc, err := constitution.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		shots := Shots(doc, OptionsFirst, true)
		if want := Shots(doc.WithoutTests(), OptionsFirst, true); len(shots) != 2*len(doc.Shown()) || !reflect.DeepEqual(shots, want) {
			t.Errorf("%s: %d turns are shown, of %d judgements", name, len(shots), len(doc.Shown()))
		}
	}
}
