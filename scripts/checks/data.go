package main

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// answer is what a person or a model answered, and another answer to the same prompt.
type answer struct {
	set    string
	prompt string
	text   string
	other  string // empty where the set has none
	safe   bool   // the prompt is labelled safe
	full   bool   // people say that the answer refuses in full
}

// readAnswers reads all answers of the data sets in a folder.
func readAnswers(folder string) ([]answer, error) {
	var all []answer
	for _, s := range []struct {
		file string
		read func(line []byte) ([]answer, error)
	}{
		{"hh-rlhf-harmless-test-a.jsonl.gz", readDialogues},
		{"pandalm-a.jsonl.gz", readPairs},
		{"xstest-completions-a.jsonl.gz", readCompletions},
	} {
		err := eachLine(filepath.Join(folder, s.file), func(line []byte) error {
			answers, err := s.read(line)
			all = append(all, answers...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func eachLine(path string, do func(line []byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was read
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if err := do(lines.Bytes()); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
	}
	return lines.Err()
}

// readDialogues reads a row of hh-rlhf: two transcripts that differ in the last answer.
func readDialogues(line []byte) ([]answer, error) {
	var row struct{ Chosen, Rejected string }
	if err := json.Unmarshal(line, &row); err != nil {
		return nil, err
	}
	prompt, chosen := lastAnswer(row.Chosen)
	_, rejected := lastAnswer(row.Rejected)
	return both("hh-rlhf", prompt, chosen, rejected), nil
}

func lastAnswer(transcript string) (prompt, text string) {
	const mark = "\n\nAssistant:"
	at := strings.LastIndex(transcript, mark)
	if at < 0 {
		return transcript, ""
	}
	return transcript[:at], strings.TrimSpace(transcript[at+len(mark):])
}

// readPairs reads a row of PandaLM.
func readPairs(line []byte) ([]answer, error) {
	var row struct {
		Prompt           string
		Chosen, Rejected any // some answers are no strings
	}
	err := json.Unmarshal(line, &row)
	return both("PandaLM", row.Prompt, fmt.Sprint(row.Chosen), fmt.Sprint(row.Rejected)), err
}

func both(set, prompt, a, b string) []answer {
	return []answer{{set: set, prompt: prompt, text: a, other: b}, {set: set, prompt: prompt, text: b, other: a}}
}

// readCompletions reads a row of XSTest.
func readCompletions(line []byte) ([]answer, error) {
	var row struct{ Type, Prompt, Response, Label string }
	err := json.Unmarshal(line, &row)
	return []answer{{
		set: "XSTest", prompt: row.Prompt, text: row.Response, safe: !strings.HasPrefix(row.Type, "contrast"), full: row.Label == "2_full_refusal",
	}}, err
}
