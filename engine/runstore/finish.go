package runstore

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"amend/engine/chat"
	"amend/engine/revise"
)

// revision is a line of revisions.jsonl.
type revision struct {
	ID         string           `json:"id"`
	Messages   []revise.Message `json:"messages"` // the prompt, then what the row ended with
	Principles []string         `json:"principles"`
	Response   string           `json:"response"`           // the first
	Revision   string           `json:"revision,omitempty"` // the last; none in a run without revisions
	Flags      []revise.Flag    `json:"flags,omitempty"`    // of what the row ended with
}

// failed is a line of failed.jsonl.
type failed struct {
	ID       string           `json:"id"`
	Index    int              `json:"index"`
	Error    string           `json:"error"`
	Messages []revise.Message `json:"messages"`
}

// Finish writes revisions.jsonl from the finished rows and, when rows failed, failed.jsonl. The same rows
// give the same bytes, whatever order they were finished in. It may be called again after more rows.
func (r *Run) Finish() error {
	r.mu.Lock()
	err := r.failure
	r.mu.Unlock()
	if err != nil {
		return err
	}
	failures := 0
	err = r.export(RevisionsFile, func(rec revise.Record) (any, bool) {
		if rec.Error != "" {
			failures++
		}
		return finalRevision(rec)
	})
	if err != nil || failures == 0 {
		return err
	}
	return r.export(FailedFile, func(rec revise.Record) (any, bool) {
		return failed{rec.ID, rec.Index, rec.Error, rec.Messages}, rec.Error != ""
	})
}

// finalRevision is what a row gives to fine-tuning; nothing when it failed.
func finalRevision(rec revise.Record) (revision, bool) {
	final, ok := rec.Final()
	if rec.Error != "" || !ok {
		return revision{}, false
	}
	out := revision{ID: rec.ID, Flags: final.Flags, Principles: []string{}}
	out.Messages = append(append(out.Messages, rec.Messages...), revise.Message{Role: chat.Assistant, Content: final.Text})
	for _, t := range rec.Turns {
		switch t.Kind {
		case revise.Response:
			out.Response = t.Text
		case revise.Revision:
			out.Principles = append(out.Principles, t.Principle)
			out.Revision = t.Text
		case revise.Critique:
		}
	}
	return out, true
}

// export writes one line for each row that line accepts, in input order.
func (r *Run) export(name string, line func(revise.Record) (any, bool)) error {
	return replace(filepath.Join(r.dir, name), func(w io.Writer) error {
		for rec, err := range r.Rows() {
			if err != nil {
				return err
			}
			v, ok := line(rec)
			if !ok {
				continue
			}
			text, err := marshal(v)
			if err != nil {
				return fmt.Errorf("row %s: %w", rec.ID, err)
			}
			if _, err := w.Write(append(text, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeWhole is replace for a text at hand.
func writeWhole(path string, text []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// replace writes a file under a temporary name and gives it its own when it is complete and on disk. The
// name is fixed: only the holder of the run's lock writes.
func replace(path string, write func(io.Writer) error) (err error) {
	tmp := path + tmpSuffix
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
			if gone := os.Remove(tmp); gone != nil && !errors.Is(gone, os.ErrNotExist) {
				err = errors.Join(err, gone)
			}
		}
	}()
	f, err := os.Create(tmp)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<18)
	err = write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
