package constitution

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// write puts files into a folder and returns their paths.
func write(t *testing.T, files map[string]string) func(name string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

const (
	coreLayer = `
name: core
version: "3"
title: A core
language: en
sources: [{instrument: Treaty}]
prompts:
  critique_request: "Where does it break this: {text}"
  revision_request: "Mend it: {text}"
principles:
  - {id: kind, text: Be kind., tags: [tone], sources: [{instrument: Treaty, article: "1"}]}
  - {id: brief, text: Be brief., critique_request: Say what is long., weight: 2}
  - {id: loud, text: Be loud.}
demonstrations:
  - {prompt: Hi, response: Go., principle: loud, critique: Too quiet., revision: HELLO}
  - {prompt: Ho, response: Go., principle: kind, critique: It is rude., revision: Hello.}
`
	regionLayer = `
name: region
version: "1"
description: Differs.
extends: [core.yaml]
prompts:
  revision_request: "Say it again: {text}"
principles:
  - {id: kind, text: Be kind to elders., reason: Article 7., sources: [{instrument: Pact, article: "7"}]}
  - {id: loud, off: true, reason: Quiet is the custom.}
  - {id: calm, text: Be calm., applies: {jurisdictions: [xy]}}
`
	teamLayer = `
name: team
extends: [core.yaml]
principles:
  - {id: brief, weight: 0, reason: We like long answers.}
  - {id: calm, tags: [tone], reason: It is about tone.}
`
)

// TestCompose: what layers do to principles, field by field.
func TestCompose(t *testing.T) {
	file := write(t, map[string]string{"core.yaml": coreLayer, "region.yaml": regionLayer, "team.yaml": teamLayer})
	doc, err := Load(file("region.yaml"), file("team.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var layers []string
	for _, l := range doc.Layers {
		layers = append(layers, l.Name)
	}
	kind, _ := doc.Principle("kind")
	brief, _ := doc.Principle("brief")
	calm, _ := doc.Principle("calm")
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"the name", doc.Name, "region+team"},
		{"the version", doc.Version, "1"},
		{"the description", doc.Description, "Differs."},
		{"a layer that two extend is there once, below both", layers, []string{"core", "region", "team"}},
		{"principles", doc.ids(), []string{"kind", "brief", "calm"}},
		{"a changed text", kind.Text, "Be kind to elders."},
		{"its critique request, by the core's template", kind.CritiqueRequest, "Where does it break this: Be kind to elders."},
		{"its revision request, by the layer's own", kind.RevisionRequest, "Say it again: Be kind to elders."},
		{"its tags, untouched", kind.Tags, []string{"tone"}},
		{"its sources, replaced", kind.Sources, []Source{{Instrument: "Pact", Article: "7"}}},
		{"where its text is from", kind.Origins["text"], Origin{"region", 9}},
		{"where its tags are from", kind.Origins["tags"], Origin{"core", 11}},
		{"where a derived request is from", kind.Origins["revision_request"], Origin{"region", 0}},
		{"its chain", kind.Chain, []Change{
			{Layer: "core", Line: 11, Action: Added, Fields: []string{"id", "text", "tags", "sources"}},
			{Layer: "region", Line: 9, Action: Changed, Fields: []string{"text", "sources"}, Reason: "Article 7."},
		}},
		{"a new weight", brief.Weight, 0.0},
		{"a request that the core gives, kept", brief.CritiqueRequest, "Say what is long."},
		{"a derived request whose text did not change, kept", brief.RevisionRequest, "Mend it: Be brief."},
		{"a principle of the second layer, changed by the third", calm.Tags, []string{"tone"}},
		{"where it applies", calm.Applies.Jurisdictions, []string{"xy"}},
		{"what is switched off", doc.Off[0].ID, "loud"},
		{"why, and what goes with it", doc.Off[0].Chain[1], Change{Layer: "region", Line: 10, Action: SwitchOff, Reason: "Quiet is the custom.", Demonstrations: 1}},
		{"where the description is from", doc.Origins["description"], Origin{"region", 4}},
		{"where a template is from", doc.Origins["prompts.critique_request"], Origin{"core", 8}},
		{"where the other template is from", doc.Origins["prompts.revision_request"], Origin{"region", 7}},
		{"the demonstration of a principle that is off goes", prompts(doc.Demonstrations), "Ho"},
		{"the other one has its requests", doc.Demonstrations[0].RevisionRequest, "Say it again: Be kind to elders."},
	} {
		if !reflect.DeepEqual(tt.got, tt.want) {
			t.Errorf("%s: got %+v, want %+v", tt.what, tt.got, tt.want)
		}
	}
	alone, err := Load(file("core.yaml"))
	if err != nil || alone.Hash() == doc.Hash() {
		t.Errorf("the core alone: %v, and the same hash", err)
	}
	if _, err := Load(file("team.yaml")); err == nil || !strings.Contains(err.Error(), `team.yaml:6:10: there is no principle "calm" in a layer below`) {
		t.Errorf("a layer without the one below it: %v", err)
	}
}

// stepOf is what a layer does to one principle in TestComposeIsLayering.
type stepOf struct {
	ID     string
	Weight float64
	Text   string
	Off    bool
}

// TestComposeIsLayering: whatever layers add, change and switch off, the result is that of a map to which the steps are
// done one after another, and composing some layers first makes no difference.
func TestComposeIsLayering(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(r *rapid.T) {
		want := map[string]stepOf{}
		var order []string
		off := map[string]bool{}
		var paths []string
		for n := range rapid.IntRange(1, 4).Draw(r, "layers") {
			layer := map[string]any{"name": fmt.Sprintf("l%d", n), "prompts": map[string]string{"critique_request": "c {text}", "revision_request": "r {text}"}}
			var entries []map[string]any
			for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}), 1, 5, rapid.ID[string]).Draw(r, "ids") {
				if entry := drawEntry(r, id, want, off, &order); entry != nil {
					entries = append(entries, entry)
				}
			}
			layer["principles"] = entries
			text, err := yaml.Marshal(layer)
			if err != nil {
				r.Fatal(err)
			}
			path := filepath.Join(dir, fmt.Sprintf("l%d.yaml", n))
			if err := os.WriteFile(path, text, 0o600); err != nil {
				r.Fatal(err)
			}
			paths = append(paths, path)
		}
		doc, err := Load(paths...)
		if len(order) == 0 {
			if err == nil {
				r.Fatal("a document without principles is accepted")
			}
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		if !slices.Equal(doc.ids(), order) {
			r.Fatalf("principles %v, want %v", doc.ids(), order)
		}
		for _, p := range doc.Principles {
			w := want[p.ID]
			if p.Text != w.Text || p.Weight != w.Weight || p.CritiqueRequest != "c "+w.Text {
				r.Fatalf("%+v, want %+v", p, w)
			}
		}
	})
}

// drawEntry draws what a layer does to a principle, and does it to want.
func drawEntry(r *rapid.T, id string, want map[string]stepOf, off map[string]bool, order *[]string) map[string]any {
	s, there := want[id]
	switch {
	case off[id]:
		return nil
	case !there:
		s = stepOf{ID: id, Weight: 1, Text: rapid.StringMatching("[a-z]{1,9}").Draw(r, "text")}
		want[id] = s
		*order = append(*order, id)
		return map[string]any{"id": id, "text": s.Text}
	case rapid.IntRange(0, 3).Draw(r, "off") == 0:
		off[id] = true
		*order = slices.DeleteFunc(*order, func(other string) bool { return other == id })
		return map[string]any{"id": id, "off": true, "reason": "so"}
	}
	entry := map[string]any{"id": id, "reason": "so"}
	if rapid.Bool().Draw(r, "new weight") {
		s.Weight = float64(rapid.IntRange(0, 9).Draw(r, "weight"))
		entry["weight"] = s.Weight
	}
	if rapid.Bool().Draw(r, "new text") {
		s.Text = rapid.StringMatching("[a-z]{1,9}").Draw(r, "text")
		entry["text"] = s.Text
	}
	want[id] = s
	return entry
}
