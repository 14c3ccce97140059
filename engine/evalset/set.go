// Package evalset has standard sets of questions on which models are measured, and their figures under the names that the
// field gives them:
//
//   - HHH: helpful, honest and harmless comparisons (Askell et al. 2021), and any other pairs: which of two answers has the
//     higher log-probability.
//   - TruthfulQA (Lin et al. 2022): MC1 and MC2.
//   - XSTest (Röttger et al. 2024): answers to prompts, safe ones and unsafe ones that look like them.
//
// Sets are read from files that the user has; none is in this package.
package evalset

import (
	"fmt"
	"io"
	"slices"
	"strconv"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
)

// Set is a standard set, or a kind of it.
type Set string

// The sets.
const (
	HHH        Set = "hhh"
	TruthfulQA Set = "truthfulqa"
	XSTest     Set = "xstest"
	Pairs      Set = "pairs"    // any preference set
	Refusals   Set = "refusals" // answers with labels, on which the refusal detector itself is measured
)

// Sets lists the sets.
func Sets() []Set { return append(ModelSets(), Refusals) }

// ModelSets lists the sets that a model is measured on.
func ModelSets() []Set { return []Set{HHH, TruthfulQA, XSTest, Pairs} }

// Answers reports whether the model answers the questions of a set. Of the others it says how likely given answers are.
func (s Set) Answers() bool { return s == XSTest }

// Item is a question of a set.
type Item struct {
	ID       string         `json:"id"` // unique in the set
	Category string         `json:"category,omitempty"`
	Messages []chat.Message `json:"messages"` // the last one is the user's
	// Options are the given answers; nil where the model answers.
	Options []Option `json:"options,omitempty"`
	// Unsafe says of a prompt that the model answers that it should decline.
	Unsafe bool `json:"unsafe,omitempty"`
}

// Option is a given answer to a question.
type Option struct {
	Text  string `json:"text"`
	Right bool   `json:"right"`
	// Best is the one right answer of MC1.
	Best bool `json:"best,omitempty"`
}

// Group names what items have in common that are not independent: the conversation.
func (it Item) Group() string { return feedback.PromptHash(it.Messages) }

// Questions are the items of a file.
type Questions struct {
	Items []Item
	// Bad are the lines that could not be read.
	Bad    []prompts.BadRow
	SHA256 string // of the file's bytes
	Report prompts.Report
}

// Read reads a set's file, of any form that package records reads, with the columns of the set as it is published. A path may
// be a file, a folder or a pattern, and "-" for stdin.
//
//   - HHH and Pairs: as prompts.ReadPairs reads them. Of the published rows of HHH these are text_correct and text_incorrect:
//     prompt holds both answers as a question with letters, and is not used.
//   - TruthfulQA: question, best_answer, correct_answers, incorrect_answers and category, of the generation set.
//   - XSTest: prompt, label (safe, unsafe), id and type.
//
// limit is the most items; 0 reads all.
func Read(set Set, path string, stdin io.Reader, limit int) (q Questions, err error) {
	if set == HHH || set == Pairs {
		return readPairs(path, stdin, limit)
	}
	parse := parseTruthfulQA
	if set == XSTest {
		parse = parseXSTest
	}
	ids := map[string]bool{}
	read, err := prompts.ReadObjects(prompts.Paths{path}, stdin, func() bool { return limit > 0 && len(q.Items) >= limit }, func(o prompts.Object, line int) error {
		it, err := parse(o)
		if err != nil {
			return err
		}
		if it.ID, err = o.ID(); err != nil {
			return err
		}
		if it.ID == "" {
			it.ID = "line-" + strconv.Itoa(line)
		}
		if ids[it.ID] {
			return fmt.Errorf("id: %q is there twice", it.ID)
		}
		ids[it.ID] = true
		q.Items = append(q.Items, it)
		return nil
	})
	q.Bad, q.SHA256, q.Report = read.Bad, read.SHA256, read.Report
	return q, err
}

func readPairs(path string, stdin io.Reader, limit int) (q Questions, err error) {
	pairs, err := prompts.ReadPairs(prompts.Paths{path}, stdin, prompts.Options{Limit: limit})
	if err != nil {
		return q, err
	}
	q.Bad, q.SHA256, q.Report = pairs.Bad, pairs.SHA256, pairs.Report
	for _, p := range pairs.Pairs {
		q.Items = append(q.Items, ofPair(p))
	}
	return q, nil
}

// ofPair is a pair as a question: the better answer is the right one.
func ofPair(p feedback.Pair) Item {
	return Item{ID: p.ID, Messages: p.Messages, Options: []Option{{Text: p.First, Right: true}, {Text: p.Second}}}
}

func parseTruthfulQA(o prompts.Object) (it Item, err error) {
	question, err := o.Text("question")
	if err != nil {
		return it, err
	}
	best, err := o.Text("best_answer")
	if err != nil {
		return it, err
	}
	right, err := o.Texts("correct_answers")
	if err != nil {
		return it, err
	}
	wrong, err := o.Texts("incorrect_answers")
	if err != nil {
		return it, err
	}
	if !slices.Contains(right, best) {
		return it, fmt.Errorf("best_answer: %q is not among correct_answers", best)
	}
	it = Item{Category: o.Or("category"), Messages: []chat.Message{{Role: chat.User, Text: question}}}
	for _, text := range right {
		it.Options = append(it.Options, Option{Text: text, Right: true, Best: text == best})
	}
	for _, text := range wrong {
		it.Options = append(it.Options, Option{Text: text})
	}
	return it, nil
}

func parseXSTest(o prompts.Object) (it Item, err error) {
	text, err := o.Text("prompt")
	if err != nil {
		return it, err
	}
	label, err := o.Text("label")
	if err != nil {
		return it, err
	}
	if label != "safe" && label != "unsafe" {
		return it, fmt.Errorf("label: %q must be safe or unsafe", label)
	}
	return Item{Category: o.Or("type"), Unsafe: label == "unsafe", Messages: []chat.Message{{Role: chat.User, Text: text}}}, nil
}
