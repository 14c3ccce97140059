package runstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"amend/engine/atomicfile"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/plainjson"
	"amend/engine/prompts"
	"amend/engine/revise"
)

// revision is a line of revisions.jsonl.
type revision struct {
	ID         string         `json:"id"`
	Messages   []chat.Message `json:"messages"` // the prompt, then what the row ended with
	Principles []string       `json:"principles"`
	Response   string         `json:"response"`           // the first
	Revision   string         `json:"revision,omitempty"` // the last that was taken, if any
	Flags      []check.Flag   `json:"flags,omitempty"`    // of what the row ended with
}

// failed is a line of failed.jsonl: a row that failed, or one that could not be read.
type failed struct {
	ID       string         `json:"id,omitempty"`
	Index    int            `json:"index"`
	Error    string         `json:"error"`
	Messages []chat.Message `json:"messages,omitempty"`
	File     string         `json:"file,omitempty"`
	Line     int            `json:"line,omitempty"`
}

// Finish writes revisions.jsonl from the finished rows and, when rows failed or could not be read,
// failed.jsonl, which it removes when none did. The same rows give the same bytes, whatever order they were
// finished in. It may be called again after more rows.
func (r *Run) Finish(unreadable []prompts.BadRow) error {
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
	if err != nil {
		return err
	}
	if failures+len(unreadable) == 0 {
		return r.removeFailed()
	}
	lost := make([]any, len(unreadable))
	for i, u := range unreadable {
		lost[i] = failed{Index: -1, Error: u.Reason, File: u.File, Line: u.Line}
	}
	return r.export(FailedFile, func(rec revise.Record) (any, bool) {
		return failed{ID: rec.ID, Index: rec.Index, Error: rec.Error, Messages: rec.Messages}, rec.Error != ""
	}, lost...)
}

// CheckRevisions reports whether revisions.jsonl is what the run's rows give now. The error matches fs.ErrNotExist where
// there is no such file.
func CheckRevisions(dir string) (same bool, err error) {
	f, err := os.Open(filepath.Join(dir, RevisionsFile))
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // only read
	in := bufio.NewReaderSize(f, 1<<18)
	for rec, err := range readRows(dir) {
		if err != nil {
			return false, err
		}
		v, ok := finalRevision(rec)
		if !ok {
			continue
		}
		want, err := plainjson.Marshal(v)
		if err != nil {
			return false, err
		}
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		old, err := plainjson.Marshal(oldSpelling(v))
		if err != nil {
			return false, err
		}
		if got, ended := bytes.CutSuffix(line, []byte("\n")); !ended || !bytes.Equal(got, want) && !bytes.Equal(got, old) {
			return false, nil
		}
	}
	_, err = in.ReadByte()
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	return err != nil, nil
}

// oldSpelling is a revision with its flags as older versions wrote them.
func oldSpelling(v revision) revision {
	v.Flags = slices.Clone(v.Flags)
	for i, f := range v.Flags {
		if f == check.LeadIn {
			v.Flags[i] = check.OldLeadIn
		}
	}
	return v
}

// removeFailed removes the failed.jsonl of an earlier Finish that was told of rows that could not be read.
func (r *Run) removeFailed() error {
	if err := os.Remove(filepath.Join(r.dir, FailedFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the list of failures of an earlier command: %w", err)
	}
	return nil
}

// finalRevision is what a row gives to fine-tuning; nothing when it failed.
func finalRevision(rec revise.Record) (revision, bool) {
	final, ok := rec.Final()
	if rec.Error != "" || !ok {
		return revision{}, false
	}
	out := revision{ID: rec.ID, Flags: final.Flags, Principles: []string{}}
	out.Messages = append(append(out.Messages, rec.Messages...), chat.Message{Role: chat.Assistant, Text: final.Text})
	for _, t := range rec.Answers() {
		if t.Kind == revise.Response {
			out.Response = t.Text
			continue
		}
		out.Principles = append(out.Principles, t.Principle)
		out.Revision = t.Text
	}
	return out, true
}

// export writes one line for each row that line accepts, in input order, and then those of more.
func (r *Run) export(name string, line func(revise.Record) (any, bool), more ...any) error {
	return replace(filepath.Join(r.dir, name), func(w io.Writer) error {
		for rec, err := range r.Rows() {
			if err != nil {
				return err
			}
			if v, ok := line(rec); ok {
				if err := writeLine(w, v); err != nil {
					return fmt.Errorf("row %s: %w", rec.ID, err)
				}
			}
		}
		for _, v := range more {
			if err := writeLine(w, v); err != nil {
				return err
			}
		}
		return nil
	})
}

func writeLine(w io.Writer, v any) error {
	text, err := plainjson.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// writeWhole is replace for a text at hand.
func writeWhole(path string, text []byte) error {
	return replace(path, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// replace writes a file that is whole or not there. The temporary name is fixed: only the holder of the run's
// lock writes.
func replace(path string, write func(io.Writer) error) error {
	return atomicfile.WriteVia(path+tmpSuffix, path, write)
}
