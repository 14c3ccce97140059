package cli

import (
	"errors"
	"os"
	"time"

	"charm.land/log/v2"

	"amend/engine/llama"
	"amend/engine/runstore"
	"amend/models"
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
	worker, err := templateWorkerArgs()
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

// warnOfUnfinished tells of a run that lacks rows: what is made of it is of fewer than its prompts. A folder that is no run
// lacks none.
func warnOfUnfinished(l *log.Logger, dir string) error {
	s, err := runstore.Look(dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return nil
	}
	if err != nil {
		return err
	}
	if done, all := s.Finished(), s.Manifest.Setup.Rows; done < all {
		l.Warn("the run is not finished, and only rows that are done count here: the amend run command that makes it continues it", "run", dir, "rows", done, "of", all)
	}
	return s.Close()
}
