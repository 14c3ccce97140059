package render

import (
	"fmt"
	"io"

	"amend/cmd/amend/internal/app"
)

// howToGetModel says where models come from.
const howToGetModel = `
A model that can criticise has 7B parameters or more. Each of these fetches one (4.7 GB, Apache-2.0), which
amend then finds:

  ollama pull qwen2.5:7b
  hf download Qwen/Qwen2.5-7B-Instruct-GGUF --include "qwen2.5-7b-instruct-q4_k_m*"

To see amend work without one: testbed is embedded, a test bench that knows only its own small world. In a clone,
make models fetches smollm2 (98 MB), which is too small to criticise.`

// NoModel says which models are at hand, and how to get one.
func NoModel(w io.Writer, e *app.NoModelError) error {
	fmt.Fprintf(w, "--%v. At hand:\n\n", e)
	rows := [][]string{{"  NAME", "PARAMETERS", "TYPE", "SIZE", "FROM"}}
	for _, f := range e.AtHand.Models {
		if f.Info != nil && f.Info.Runnable {
			rows = append(rows, []string{"  " + OneLine(f.Name), Count(f.Info.Parameters), OrNone(f.Info.Quantization), Bytes(f.Info.SizeBytes), f.Source})
		}
	}
	if err := Table(w, rows); err != nil {
		return err
	}
	_, err := io.WriteString(w, howToGetModel)
	return err
}
