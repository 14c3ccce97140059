package constitution

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// imported is what texts make, read back.
func imported(t *testing.T, files ...string) (*Document, string) {
	t.Helper()
	var im Imported
	for i, text := range files {
		if err := im.Add(fmt.Sprintf("f%d.json", i), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := im.Document("theirs")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Parse("theirs.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Lint(doc, []Attributes{{}}) {
		if f.Level == Error {
			t.Errorf("%s\n%s", text, f)
		}
	}
	return doc, string(text)
}

func file(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestImportPaper: the critique and revision requests of the paper's repository, in their order and without their marks.
func TestImportPaper(t *testing.T) {
	doc, text := imported(t, file(t, "18.json"))
	if !slices.Equal(doc.ids(), []string{"harmful0", "harmful1"}) {
		t.Error(doc.ids())
	}
	if p := doc.Principles[0]; p.CritiqueRequest != "Say where the last response is unkind." || p.RevisionRequest != "Rewrite the response so that it is kind." || p.Weight != 1 {
		t.Errorf("%+v", p)
	}
	if !strings.HasPrefix(text, "# Imported from f0.json.") || strings.Contains(text, "weight:") {
		t.Error(text)
	}
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprintf(`"harmful%d": {"prompt": "Say %d.", "edit_request": "Do %d."}`, i, i, i))
	}
	doc, _ = imported(t, "\ufeff{"+strings.Join(keys, ",")+"}")
	if len(doc.Principles) != 20 || doc.Principles[10].ID != "harmful10" || doc.Principles[2].ID != "harmful2" {
		t.Errorf("out of order: %v", doc.ids())
	}
}

// TestImportSwarm: llm-swarm's pairs and chats. A chat whose requests are no pair brings its own, which is not drawn.
func TestImportSwarm(t *testing.T) {
	doc, text := imported(t, file(t, "18b.json"))
	if len(doc.Principles) != 1 || len(doc.Demonstrations) != 1 || doc.Demonstrations[0].Principle != doc.Principles[0].ID {
		t.Fatal(text)
	}
	if m := doc.Demonstrations[0]; m.Prompt != "Hi?" || m.Response != "Go away." || m.Critique != "It sends people away." || m.Revision != "Hello!" || m.RevisionRequest != "Rewrite it kindly." {
		t.Errorf("%+v", m)
	}
	other := strings.Replace(file(t, "18b.json"), `"content": "Rewrite it kindly."`, `"content": "Mend it."`, 1)
	if doc, text = imported(t, other); len(doc.Principles) != 2 || doc.Principles[1].Weight != 0 || doc.Demonstrations[0].RevisionRequest != "Mend it." {
		t.Error(text)
	}
	longer := strings.Replace(file(t, "18b.json"), `[[{`, `[[{"role": "user", "content": "Ho?"}, {"role": "assistant", "content": "Hm."}, {`, 1)
	if doc, text = imported(t, longer); len(doc.Demonstrations) != 0 || !strings.Contains(text, `# Left out: a demonstration whose prompt is a conversation of several turns, the last of which is "Hi?".`) {
		t.Error(text)
	}
}

const fewShots = `["\n\nHuman: Hi?\n\nAssistant: Go away.\n\nCritiqueRequest: Is it kind?\n\nCritique: It sends\n\npeople away.\n\nRevisionRequest: Make it kind.\n\nRevision: Hello!\n\nHuman:",
 "\n\nHuman: Ho?\n\nAssistant: Hm.\n\nHuman: What?\n\nAssistant: No.\n\nCritiqueRequest: Is it kind?\n\nCritique: No.\n\nRevisionRequest: Make it kind.\n\nRevision: Yes."]`

// TestImportFewShots: the paper's few-shot prompts alone, and with pairs from another file.
func TestImportFewShots(t *testing.T) {
	doc, text := imported(t, fewShots)
	if len(doc.Demonstrations) != 1 || len(doc.Principles) != 1 || doc.Principles[0].Weight != 1 {
		t.Fatal(text)
	}
	if m := doc.Demonstrations[0]; m.Prompt != "Hi?" || m.Response != "Go away." || m.CritiqueRequest != "Is it kind?" || m.Critique != "It sends\n\npeople away." || m.Revision != "Hello!" {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(text, `is "What?"`) {
		t.Error(text)
	}
	doc, text = imported(t, file(t, "18.json"), fewShots)
	if len(doc.Demonstrations) != 1 || len(doc.Principles) != 3 || doc.Principles[2].Weight != 0 || !strings.Contains(text, "f0.json, f1.json") {
		t.Error(text)
	}
}

// TestImportPairs: pairs in the words of other tools.
func TestImportPairs(t *testing.T) {
	for _, text := range []string{
		`[{"name": "Be Kind", "critique_request": "Is it kind?", "revision_request": "Make it kind."}]`,
		`{"Be Kind": {"critique": "Is it kind?", "revision": "Make it kind."}}`,
		`{"principles": [{"id": "be-kind", "critic": "Is it kind?", "revision": "Make it kind."}]}`,
		`{"name": "be kind", "critique_request": "Is it kind?", "revision_request": "Make it kind."}`,
		`{"be_kind": {"prompt": ["\n\nCritiqueRequest: Is it kind?\n\nCritique:"], "edit_request": ["Make it kind."], "note": 1}}`,
	} {
		doc, _ := imported(t, text)
		if p := doc.Principles[0]; len(doc.Principles) != 1 || p.ID != "be-kind" || p.CritiqueRequest != "Is it kind?" || p.RevisionRequest != "Make it kind." {
			t.Errorf("%s: %+v", text, doc.Principles)
		}
	}
	doc, _ := imported(t, `{"Ж": {"prompt": ["a", "b"], "edit_request": "c"}, "ж": {"prompt": "d: e #f", "edit_request": "'g"}}`)
	if !slices.Equal(doc.ids(), []string{"rule", "rule-2", "rule-3"}) || doc.Principles[1].CritiqueRequest != "b" || doc.Principles[1].RevisionRequest != "c" || doc.Principles[2].CritiqueRequest != "d: e #f" {
		t.Errorf("%+v", doc.Principles)
	}
}

// TestImportRefuses: what is no such file is refused with what it is.
func TestImportRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "it is empty",
		"name: mine\nprinciples: []\n": "needs no import",
		"{\n\"a\": {\n\"prompt\": ]":   "line 3: it is no JSON",
		`{"a": 1}`:                     `"a": it has no critique and revision requests in a known shape`,
		`{"a": {"prompt": ["x"]}}`:     "in a known shape",
		`3`:                            "in a known shape",
		`[]`:                           "no critique and revision requests were found",
		`{"constitutions": [], "system_chat": []}`:                  "no critique and revision requests were found",
		`["\nPlease choose the most harmless response. Options:"]`:  "it is a judge's instruction",
		`[{"prompt": "x", "corrects": ["a"], "incorrects": ["b"]}]`: "a worked comparison for a judge",
		`["Be kind."]`: "it has no CritiqueRequest:",
		`{"a": {"prompt": ["x", "y"], "edit_request": ["a", "b", "c"]}}`:                                               "2 critique requests and 3 revision requests",
		`{"a": {"prompt": [], "edit_request": "a"}}`:                                                                   "a text or a list of texts",
		`{"a": {"prompt": " ", "edit_request": "a"}}`:                                                                  "one of its requests is empty",
		`{"constitutions": [{"critic": "a", "revision": "b"}], "system_chat": [[{"role": "user", "content": "a"}]]}`:   "demonstration 1: it has 1 messages",
		`{"constitutions": [{"critic": "a", "revision": "b"}], "system_chat": [[{"role": "system", "content": "a"}]]}`: `message 1 is of the role "system"`,
		`{"constitutions": [{"critic": "a", "revision": "b"}], "system_chat": "none"}`:                                 "must be lists of messages",
	} {
		var im Imported
		err := im.Add("x.json", []byte(text))
		if err == nil {
			_, err = im.Document("x")
		}
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "x.json") {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// TestImportIsNamed: a file that could be imported is refused as a constitution with that remedy.
func TestImportIsNamed(t *testing.T) {
	for _, name := range []string{"testdata/18.json", "testdata/18b.json"} {
		if _, err := Load(name); err == nil || !strings.Contains(err.Error(), "amend constitution import") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte(fewShots))
	f.Add([]byte(`{"constitutions": [{"critic": "a", "revision": "b"}], "system_chat": [[{"role": "user", "content": "a"}]]}`))
	f.Add([]byte(`{"a": {"prompt": ["x", null], "edit_request": [[]]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var im Imported
		if im.Add("f.json", data) != nil {
			return
		}
		text, err := im.Document("f")
		if err != nil {
			return
		}
		if _, err := Parse("f.yaml", text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}
