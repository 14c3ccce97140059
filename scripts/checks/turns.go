package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"amend/constitution"
	"amend/engine/check"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// turn is a turn of a run, with what the checks of this build say of it.
type turn struct {
	Model string
	Row   string // names the prompt
	Input check.Input
	Flags []check.Flag
}

// readTurns reads the turns that models wrote in the rows of a run.
func readTurns(dir string) ([]turn, error) {
	manifest, rows, err := runstore.Read(dir)
	if err != nil {
		return nil, err
	}
	demonstrations, err := readDemonstrations(dir)
	if err != nil {
		return nil, err
	}
	checker, err := check.New(demonstrations)
	if err != nil {
		return nil, err
	}
	model := strings.TrimSuffix(filepath.Base(manifest.Setup.Model), ".gguf") + fmt.Sprintf(", temperature %g", manifest.Results.Temperature)
	var turns []turn
	for rec, err := range rows {
		if err != nil {
			return nil, err
		}
		for i, t := range rec.Turns {
			if t.End == revise.EndGiven {
				continue
			}
			in := rec.Checked(i)
			turns = append(turns, turn{Model: model, Row: rec.ID, Input: in, Flags: checker.Check(in)})
		}
	}
	return turns, nil
}

// readDemonstrations reads the texts of a run's demonstrations.
func readDemonstrations(dir string) ([]string, error) {
	doc, err := constitution.Load(filepath.Join(dir, "constitution.yaml"))
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, d := range doc.Demonstrations {
		texts = append(texts, d.Prompt, d.Response, d.Critique, d.Revision)
	}
	return texts, nil
}
