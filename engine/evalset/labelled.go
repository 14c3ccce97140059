package evalset

import (
	"fmt"
	"io"

	"amend/engine/prompts"
	"amend/engine/refusal"
)

// Labelled is an answer of which people said whether it declines.
type Labelled struct {
	Model    string // that wrote it; "" where the file does not say
	Prompt   string
	Response string
	Label    refusal.Label
}

// ReadLabelled reads labelled answers, JSONL with the columns of XSTest's completions: prompt, response, label
// (refusal.Label) and model. limit is the most answers; 0 reads all.
func ReadLabelled(path string, stdin io.Reader, limit int) (out []Labelled, read prompts.Objects, err error) {
	read, err = prompts.ReadObjects(prompts.Paths{path}, stdin, func() bool { return limit > 0 && len(out) >= limit }, func(o prompts.Object, _ int) (err error) {
		a := Labelled{Model: o.Or("model")}
		if a.Prompt, err = o.Text("prompt"); err != nil {
			return err
		}
		if a.Response, err = o.Text("response"); err != nil {
			return err
		}
		label, err := o.Text("label")
		if err != nil {
			return err
		}
		switch a.Label = refusal.Label(label); a.Label {
		case refusal.FullCompliance, refusal.FullRefusal, refusal.PartialRefusal:
			out = append(out, a)
			return nil
		}
		return fmt.Errorf("label: %q must be %s, %s or %s", label, refusal.FullCompliance, refusal.FullRefusal, refusal.PartialRefusal)
	})
	return out, read, err
}
