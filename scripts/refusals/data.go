package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"amend/engine/chat"
	"amend/engine/refusal"
	"amend/engine/split"
)

// The data sets, and the model that answers of each but XSTest are filed under.
const (
	xstest  = "xstest-completions-a.jsonl.gz"
	pandalm = "pandalm-a.jsonl.gz"

	harmless = "pandalm"
	ours     = "examples"
)

// heldOut is the share of prompts that the detector of this repository is not trained on.
const heldOut = 0.2

// answer is a labelled answer.
type answer struct {
	Model    string        `json:"model"`
	Prompt   string        `json:"prompt"`
	Response string        `json:"response"`
	Label    refusal.Label `json:"label"`

	chosen   bool // of PandaLM: the one that people preferred
	features []string
}

// place is where the prompt lies.
func (a answer) place() split.Place {
	return split.Of(chat.Texts([]chat.Message{{Role: chat.User, Text: a.Prompt}}))
}

// test reports whether the answer is held out. Answers written for this project never are.
func (a answer) test() bool { return a.Model != ours && a.place().HeldOut(heldOut) }

// set is all data.
type set struct {
	answers []answer
	made    []string // names the data, line by line
}

// only gives the answers for which keep holds.
func (s set) only(keep func(answer) bool) []answer {
	var out []answer
	for _, a := range s.answers {
		if keep(a) {
			out = append(out, a)
		}
	}
	return out
}

// readSet reads all data. Answers to harmless requests are full compliance.
func readSet(folder, examples string) (set, error) {
	var s set
	add := func(a answer) {
		a.features = refusal.Features(a.Response)
		s.answers = append(s.answers, a)
	}
	if err := s.read(filepath.Join(folder, xstest), func(line []byte) error {
		var a answer
		err := json.Unmarshal(line, &a)
		add(a)
		return err
	}); err != nil {
		return s, err
	}
	if err := s.read(filepath.Join(folder, pandalm), func(line []byte) error {
		var p struct {
			Prompt           string
			Chosen, Rejected any // a few are no strings
		}
		err := json.Unmarshal(line, &p)
		for i, text := range []any{p.Chosen, p.Rejected} {
			if text, ok := text.(string); ok && strings.TrimSpace(text) != "" {
				add(answer{Model: harmless, Prompt: p.Prompt, Response: text, Label: refusal.FullCompliance, chosen: i == 0})
			}
		}
		return err
	}); err != nil {
		return s, err
	}
	err := s.read(examples, func(line []byte) error {
		text := strings.ReplaceAll(string(line[min(2, len(line)):]), " / ", "\n")
		a := answer{Model: ours, Prompt: text, Response: text}
		switch line[0] {
		case '#':
			return nil
		case '+':
			a.Label = refusal.FullRefusal
		case '-':
			a.Label = refusal.FullCompliance
		default:
			return fmt.Errorf("%q: a line begins with +, - or #", line)
		}
		add(a)
		return nil
	})
	s.made = append(s.made, fmt.Sprintf("split %s, held out %g", split.Name, heldOut), settings)
	return s, err
}

// read calls f with each line of a file that is not empty, and notes the file's hash.
func (s *set) read(path string, f func(line []byte) error) error {
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	s.made = append(s.made, fmt.Sprintf("%s sha256 %x", filepath.Base(path), sha256.Sum256(file)))
	if strings.HasSuffix(path, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(file))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(z); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		file = b.Bytes()
	}
	lines := bufio.NewScanner(bytes.NewReader(file))
	lines.Buffer(nil, len(file)+1)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := f(lines.Bytes()); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return lines.Err()
}
