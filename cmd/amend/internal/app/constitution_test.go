package app

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"amend/cmd/amend/internal/failure"
	"amend/constitution"
	"amend/engine/prompts"
)

func TestFindPrinciple(t *testing.T) {
	doc, err := Constitution("udhr")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := FindPrinciple(doc, "privacy"); err != nil || p.ID != "privacy" {
		t.Errorf("%v, %+v", err, p)
	}
	var input *failure.InputError
	if _, err := FindPrinciple(doc, "privcy"); !errors.As(err, &input) || !strings.Contains(err.Error(), `"privacy"`) {
		t.Errorf("a wrong id: %v", err)
	}
	tag := doc.Principles[0].Tags[0]
	var field *failure.FieldError
	if _, err := FindPrinciple(doc, tag); !errors.As(err, &field) || field.Field != "principle" {
		t.Errorf("a tag: %v", err)
	}
}

func TestLint(t *testing.T) {
	t.Chdir(t.TempDir())
	odd := "name: odd\nprinciples:\n  - {id: kind, text: Be kind., critique_request: Say if not., revision_request: Make it kind., applies: {prompt_tags: [physics]}}\n"
	for name, text := range map[string]string{"odd.yaml": odd, "p.jsonl": `{"prompt": "Hi"}` + "\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := Lint(quiet(), LintConfig{Constitution: []string{"odd.yaml"}, Prompts: prompts.Paths{"p.jsonl"}})
	if !errors.Is(err, failure.ErrDiffers) || report.Count(constitution.Error) != 2 || report.Count(constitution.Warning) != 2 {
		t.Errorf("%v, %+v", err, report)
	}
	if report, err := Lint(quiet(), LintConfig{Constitution: []string{"udhr"}}); err != nil || report.Count(constitution.Error) != 0 || report.Principles != 28 {
		t.Errorf("%v, %+v", err, report)
	}
	house := strings.ReplaceAll(odd, ", applies: {prompt_tags: [physics]}", "")
	for name, text := range map[string]string{"house.yaml": house, "bad.jsonl": "{}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if report, err := Lint(quiet(), LintConfig{Constitution: []string{"house.yaml"}}); err != nil || len(report.Findings) != 2 {
		t.Errorf("a lab's own rules: %v, %+v", err, report)
	}
	var input *failure.InputError
	if _, err := Lint(quiet(), LintConfig{Constitution: []string{"house.yaml"}, Prompts: prompts.Paths{"bad.jsonl"}}); !errors.As(err, &input) || !strings.Contains(err.Error(), "none of the rows") {
		t.Errorf("prompts that cannot be read: %v", err)
	}
	if _, err := Lint(quiet(), LintConfig{Constitution: []string{"nowhere"}}); !errors.As(err, &input) || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
