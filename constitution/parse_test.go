package constitution

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Each testdata/bad/NAME.yaml is faulty in the way its name says; NAME.txt is the message.
func TestParseBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no bad files: %v", err)
	}
	t.Chdir(filepath.Join("testdata", "bad")) // some extend files that are there
	for _, file := range files {
		file = filepath.Base(file)
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(file, data)
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

const short = `
name: short
version: 1.10
prompts:
  critique_request: "How does it break this rule: {text}"
  revision_request: |
    Write it again. {text}
  judge_instruction: "Which keeps to it? {text}"

principles:
  - id: kind
    text: >
      Be kind.
  - {id: brief, text: Be brief., revision_request: Shorten it., weight: 0}
demonstrations:
  - {prompt: Hi, response: Go away., principle: kind, critique: It is rude., revision: Hello!}
judgements:
  - {prompt: Hi, principle: kind, a: Go away., b: Hello!, better: b}
`

func TestParseDerivesAndDefaults(t *testing.T) {
	doc, err := Parse("short.yaml", []byte(short))
	if err != nil {
		t.Fatal(err)
	}
	kind, brief := doc.Principles[0], doc.Principles[1]
	demo := doc.Demonstrations[0]
	for _, tt := range []struct{ what, got, want string }{
		{"version is kept as written", doc.Version, "1.10"},
		{"text is trimmed", kind.Text, "Be kind."},
		{"derived critique request", kind.CritiqueRequest, "How does it break this rule: Be kind."},
		{"derived revision request", kind.RevisionRequest, "Write it again. Be kind."},
		{"own request wins", brief.RevisionRequest, "Shorten it."},
		{"other request still derived", brief.CritiqueRequest, "How does it break this rule: Be brief."},
		{"demonstration's critique request", demo.CritiqueRequest, kind.CritiqueRequest},
		{"demonstration's revision request", demo.RevisionRequest, kind.RevisionRequest},
		{"judgement's instruction", doc.Judgements[0].JudgeInstruction, "Which keeps to it? Be kind."},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if kind.Weight != 1 || brief.Weight != 0 {
		t.Errorf("weights %v, %v, want 1, 0", kind.Weight, brief.Weight)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(short), 0o666); err != nil {
		t.Fatal(err)
	}
	if doc, err := Load(path); err != nil || doc.Name != "short" {
		t.Errorf("a path: %v, %v", doc, err)
	}
	_, err := Load("hhf")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `(did you mean "hhh"?)`) {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err := Load(t.TempDir()); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
}

// What every embedded document must hold, beyond what Parse checks.
func TestEmbeddedDocuments(t *testing.T) {
	for _, name := range Names() {
		doc, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if doc.Name != name {
			t.Errorf("%s.yaml is named %q", name, doc.Name)
		}
		words := 0
		for _, m := range doc.Demonstrations {
			for _, text := range []string{m.Prompt, m.Response, m.CritiqueRequest, m.Critique, m.RevisionRequest, m.Revision} {
				words += len(strings.Fields(text))
			}
		}
		// SmolLM2 makes 1.3 tokens of a word of hhh: at least 1,000 tokens of preamble, and room for the
		// conversation in a context of 2,048. The testbed's few-shots show the form to a model that knows it.
		least := 850
		if name == "testbed" {
			least = 150
		}
		if words < least || words > 1200 {
			t.Errorf("%s: the demonstrations have %d words", name, words)
		}
		if len(doc.Judgements) < 2 {
			t.Errorf("%s has %d worked judgements", name, len(doc.Judgements))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(short))
	f.Add([]byte("name: &a [*a]\nprinciples: *a"))
	f.Add([]byte("name: x\nprinciples: [{id: a, text: b, critique_request: c, revision_request: d, weight: .inf}]"))
	f.Add([]byte("--- \n...\n--- !!binary x"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := Parse("fuzz.yaml", data)
		if err != nil {
			var problems Problems
			if !errors.As(err, &problems) {
				t.Fatalf("not Problems: %v", err)
			}
			return
		}
		p := doc.Principles[0]
		if drawn, ok := doc.Draw(1, 1, Attributes{Tags: p.Applies.PromptTags}); ok { // does not panic
			p = drawn
		}
		if p.ID == "" || p.Text == "" || p.CritiqueRequest == "" || p.RevisionRequest == "" {
			t.Fatalf("accepted an incomplete principle: %+v", p)
		}
	})
}
