package constitution

import (
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Fields that are there for people, or that have done their work when the document is loaded. Every other
// field of the three types changes the hash, and so does a field that someone adds later.
var unhashed = []string{
	"Document.Name", "Document.Version", "Document.Language", "Document.Title", "Document.Description", "Document.Prompts",
	"Document.Sources", "Document.Unsourced", "Document.Extends", "Document.Judgements", "Document.Layers", "Document.Off", "Document.Origins",
	"Principle.Title", "Principle.Tags", "Principle.Sources", "Principle.JudgeInstruction", "Principle.VerdictRequest", "Principle.Framing",
	"Principle.Off", "Principle.Reason", "Principle.Origins", "Principle.Chain",
}

func TestHashCoversEveryField(t *testing.T) {
	load := func() *Document {
		doc, err := Load("hhh")
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	want := load().Hash()
	check := func(what string, doc *Document) {
		if changed := doc.Hash() != want; changed == slices.Contains(unhashed, what) {
			t.Errorf("changing %s: hash changed %v", what, changed)
		}
	}
	for i := range reflect.TypeFor[Document]().NumField() {
		doc := load()
		check("Document."+alter(reflect.ValueOf(doc).Elem(), i), doc)
	}
	for i := range reflect.TypeFor[Principle]().NumField() {
		doc := load()
		check("Principle."+alter(reflect.ValueOf(&doc.Principles[3]).Elem(), i), doc)
	}
	for i := range reflect.TypeFor[Demonstration]().NumField() {
		doc := load()
		check("Demonstration."+alter(reflect.ValueOf(&doc.Demonstrations[2]).Elem(), i), doc)
	}
}

// alter changes field i of a struct and returns its name.
func alter(v reflect.Value, i int) string {
	switch f := v.Field(i); f.Kind() {
	case reflect.String:
		f.SetString(f.String() + ".")
	case reflect.Float64:
		f.SetFloat(f.Float() + 0.5)
	case reflect.Slice:
		f.Set(reflect.Append(f, reflect.Zero(f.Type().Elem())))
	case reflect.Struct:
		alter(f, 0)
	}
	return v.Type().Field(i).Name
}

// Text that moves across the border of two fields is another document.
func TestHashKeepsFieldsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, -1, -1).Draw(t, "text")
		a, b := rapid.IntRange(0, len(text)).Draw(t, "a"), rapid.IntRange(0, len(text)).Draw(t, "b")
		split := func(at int) string {
			return (&Document{Principles: []Principle{{CritiqueRequest: text[:at], RevisionRequest: text[at:]}}}).Hash()
		}
		if (split(a) == split(b)) != (a == b) {
			t.Fatalf("%q split at %d and %d", text, a, b)
		}
	})
}
