package cli

import (
	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/runner"
	"amend/engine/llama"
	"amend/models"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// resolveModel finds a model by a path or a name, and checks in Go, before
// llama.cpp sees the file, that it can generate text. All its errors are usage
// errors.
func resolveModel(name string) (*models.Model, error) {
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		return nil, usage(err)
	}
	file, err := models.Open(path)
	if err != nil {
		return nil, usage(err)
	}
	if err := file.Generative(); err != nil {
		return nil, usage(err)
	}
	return file, nil
}

// startTemplate starts the process that renders a chat template, for a model
// with this vocabulary. Conversations show now as their date. The caller closes
// the template.
func startTemplate(v *llama.Vocab, source string, now time.Time) (*llama.Template, error) {
	worker, err := templateArgs()
	if err != nil {
		return nil, err
	}
	t, err := llama.NewTemplate(source, llama.TemplateOptions{
		Worker: worker, BOS: tokenText(v, v.BOS()), EOS: tokenText(v, v.EOS()), Now: now,
	})
	return t, usage(err)
}

func tokenText(v *llama.Vocab, t llama.Token) string {
	if t == llama.NoToken {
		return ""
	}
	return v.Text(t)
}

// choice is a flag with the values that it may have.
type choice struct {
	flag, value string
	among       []string
}

func oneOf(choices []choice) error {
	for _, c := range choices {
		if !slices.Contains(c.among, c.value) {
			return fmt.Errorf("%s %q: must be %s", c.flag, c.value, strings.Join(c.among, ", "))
		}
	}
	return nil
}

// limits is a flag with the range that it may have.
type limits struct {
	flag          string
	value, lo, hi int
}

func within(all []limits) error {
	for _, c := range all {
		if c.value < c.lo || c.value > c.hi {
			return fmt.Errorf("%s %d: must be from %d to %d", c.flag, c.value, c.lo, c.hi)
		}
	}
	return nil
}

func templateArgs() ([]string, error) {
	self, err := os.Executable()
	return []string{self, app.WorkerCommand, app.TemplateWorker}, err
}

func layoutNames() []string {
	var names []string
	for _, l := range runner.Layouts() {
		names = append(names, string(l))
	}
	return names
}

func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
