package app

import (
	"fmt"
	"os"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/models"
)

// checkStages finds what can be found wrong with the files of a run before a model is loaded: models and adapters by their
// headers, templates, the grammar of critiques. Errors are about the user's input.
func checkStages(stages []stage) error {
	for i, s := range stages {
		if s.byServer() {
			continue
		}
		c := s.config
		file, err := runner.Find(c.Model)
		if err != nil {
			return err
		}
		if err := checkTemplate(c.Compute, file, i > 0); err != nil {
			return err
		}
		if err := checkAdapter(c.LoRA, i > 0); err != nil {
			return err
		}
	}
	text, err := stages[len(stages)-1].config.grammar()
	if err != nil || text == "" {
		return err
	}
	if err := runner.CheckGrammar(text); err != nil {
		return failure.Inputf("critique-grammar %s: %w", stages[0].config.CritiqueGrammar, err)
	}
	return nil
}

// checkTemplate reports that conversations cannot be written for a model.
func checkTemplate(c runner.ComputeConfig, file *models.Model, critic bool) error {
	if c.Chat == runner.ChatPlain {
		return nil
	}
	if c.Template != "" {
		if _, err := os.Stat(c.Template); err != nil {
			return failure.Inputf("reading the chat template: %w", err)
		}
		return nil
	}
	if _, ok := file.Parts[0].String("tokenizer.chat_template"); ok {
		return nil
	}
	if critic {
		return &failure.FieldError{Field: "chat", Want: fmt.Sprintf("must be plain: the critic %s has no chat template", file.Path)}
	}
	return runner.NoTemplate(file.Path)
}

// checkAdapter reports a file that is not a LoRA adapter.
func checkAdapter(text string, critic bool) error {
	path := runner.ParseAdapter(text).Path
	if path == "" {
		return nil
	}
	whose := "the adapter"
	if critic {
		whose = "the critic's adapter"
	}
	file, err := models.Open(path)
	if err != nil {
		return failure.Inputf("opening %s: %w", whose, err)
	}
	if kind, _ := file.Parts[0].String("general.type"); kind != "adapter" {
		return failure.Inputf("%s is not a LoRA adapter: its general.type is %q", path, kind)
	}
	return nil
}
