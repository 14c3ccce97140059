package prompts

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"amend/engine/chat"
)

// side is one of a pair's two answers, as the record has it.
type side struct {
	key   string // of its column
	value json.RawMessage
}

// A pairShape is a way in which preference sets write two answers down.
type pairShape struct {
	keys []string // columns that a record of the shape has, all of them
	// alone says that the answers' conversation is in them, whatever stands in other columns.
	alone bool
	read  func(f *fields) (better, worse side, err error)
}

// pairShapes are all that are known. The first that a record has is the one that is read. docs/inputs.md names them.
func pairShapes() []pairShape {
	return []pairShape{
		{keys: []string{"chosen"}, read: twoColumns("chosen", "rejected")},
		{keys: []string{"text_correct"}, alone: true, read: twoColumns("text_correct", "text_incorrect")}, // prompt asks about both
		{keys: []string{"chosen_response", "rejected_response"}, read: twoColumns("chosen_response", "rejected_response")},
		{keys: []string{"preferred_output", "non_preferred_output"}, read: twoColumns("preferred_output", "non_preferred_output")},
		{keys: []string{"response_j", "response_k"}, read: twoColumns("response_j", "response_k")}, // Stack Exchange
		{keys: []string{"response_0", "response_1"}, read: byNumber("better_response_id", "safer_response_id")},
		{keys: []string{"conversation_a", "conversation_b", "winner"}, alone: true, read: byWinner("conversation_a", "conversation_b")},
		{keys: []string{"response_a", "response_b", "winner"}, read: byWinner("response_a", "response_b")},
		{keys: []string{"human_ref_A", "human_ref_B", "labels"}, read: byLabel},
		{keys: []string{"targets"}, read: byTargets},
		{keys: []string{"target_scores"}, read: byScores},
	}
}

// sides reads the two answers of a pair.
func (f *fields) sides() (better, worse side, alone bool, err error) {
	if _, mapped := f.given["chosen"]; mapped && !f.has("chosen") {
		return better, worse, false, f.missing("chosen")
	}
	for _, s := range pairShapes() {
		if !slices.ContainsFunc(s.keys, func(key string) bool { return !f.has(key) }) {
			better, worse, err = s.read(f)
			return better, worse, s.alone, err
		}
	}
	return better, worse, false, f.pairless()
}

// errPairless is the reason of a record without two answers.
var errPairless = errors.New("neither chosen and rejected nor other columns that are known to hold a better and a worse answer")

// pairless says that a record has no pair, and what to do. Where a column ranks answers, no column is the better one's.
func (f *fields) pairless() error {
	for _, name := range f.names {
		word := strings.ToLower(name)
		for _, start := range []string{"winner", "prefer", "overall_prefer", "rank", "label", "better", "safer"} {
			if strings.HasPrefix(word, start) && (start != "label" || f.has("response") || slices.ContainsFunc(answers(), f.has)) {
				return fmt.Errorf("%w; %s may say which answer is better, in a way that is not read: write the better one as chosen and the worse one as rejected; the columns: %s", errPairless, clip(name), f.list())
			}
		}
	}
	return fmt.Errorf("%w; name them with --map chosen=COLUMN and --map rejected=COLUMN; the columns: %s%s", errPairless, f.list(), f.headed())
}

// twoColumns reads answers whose columns say which is better.
func twoColumns(better, worse string) func(*fields) (a, b side, err error) {
	return func(f *fields) (a, b side, err error) {
		a.key, b.key = f.column(better), f.column(worse)
		a.value, _ = f.get(better)
		var ok bool
		if b.value, ok = f.get(worse); !ok {
			err = fmt.Errorf("%s: missing", b.key)
		}
		return a, b, err
	}
}

// byNumber reads two numbered answers (PKU-SafeRLHF). The first of the keys that a record has says which is better.
func byNumber(keys ...string) func(*fields) (a, b side, err error) {
	return func(f *fields) (a, b side, err error) {
		for _, key := range keys {
			v, ok := f.get(key)
			if !ok {
				continue
			}
			a, b, err = twoColumns("response_0", "response_1")(f)
			switch {
			case err != nil || oneOrZero(v) == "0":
				return a, b, err
			case oneOrZero(v) == "1":
				return b, a, nil
			}
			return a, b, fmt.Errorf("%s: %s is neither 0 nor 1", key, clip(string(v)))
		}
		return a, b, fmt.Errorf("%s: missing, so that neither answer is known to be better", keys[0])
	}
}

// oneOrZero reads the ways in which data sets write 1 and 0; "" for any other value.
func oneOrZero(v json.RawMessage) string {
	text := string(v)
	if s, err := parseString(v); err == nil { // as in tables
		text = s
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "1", "1.0", "true":
		return "1"
	case "0", "0.0", "false":
		return "0"
	}
	return ""
}

// byWinner reads the two sides of a contest (Chatbot Arena, MT-Bench).
func byWinner(first, second string) func(*fields) (a, b side, err error) {
	return func(f *fields) (a, b side, err error) {
		if a, b, err = twoColumns(first, second)(f); err != nil {
			return a, b, err
		}
		winner, err := f.text("winner")
		switch {
		case err != nil || winner == "model_a":
			return a, b, err
		case winner == "model_b":
			return b, a, nil
		}
		if strings.Contains(strings.ToLower(winner), "tie") {
			return a, b, fmt.Errorf("winner: %q: neither answer is the better one", clip(winner))
		}
		return a, b, fmt.Errorf("winner: %q is neither model_a nor model_b", clip(winner))
	}
}

// byLabel reads two answers of which labels says whether the first is better (SHP).
func byLabel(f *fields) (a, b side, err error) {
	a, b, err = twoColumns("human_ref_A", "human_ref_B")(f)
	if err != nil {
		return a, b, err
	}
	switch v, _ := f.get("labels"); oneOrZero(v) {
	case "1":
		return a, b, nil
	case "0":
		return b, a, nil
	default:
		return a, b, fmt.Errorf("labels: %s is neither 0 nor 1", clip(string(v)))
	}
}

// byTargets reads the choices of a question with two answers (HHH as Hugging Face has it).
func byTargets(f *fields) (a, b side, err error) {
	v, _ := f.get("targets")
	var targets struct {
		Choices []json.RawMessage `json:"choices"`
		Labels  []float64         `json:"labels"`
	}
	if err := json.Unmarshal(v, &targets); err != nil {
		return a, b, fmt.Errorf("targets: want choices and labels: %w", err)
	}
	if len(targets.Choices) != 2 || len(targets.Labels) != 2 {
		return a, b, fmt.Errorf("targets: %d choices and %d labels, want two of each", len(targets.Choices), len(targets.Labels))
	}
	return byPoints("targets", targets.Choices, targets.Labels)
}

// byScores reads the two answers of a question by their points (BIG-bench).
func byScores(f *fields) (a, b side, err error) {
	v, _ := f.get("target_scores")
	scores, err := newFields(v)
	if err != nil {
		return a, b, named("target_scores", err)
	}
	if len(scores.names) != 2 {
		return a, b, fmt.Errorf("target_scores: %d answers, want two", len(scores.names))
	}
	texts, points := make([]json.RawMessage, 2), make([]float64, 2)
	for i, name := range scores.names {
		if texts[i], err = json.Marshal(name); err != nil {
			return a, b, err
		}
		if err := json.Unmarshal(scores.values[name], &points[i]); err != nil {
			return a, b, fmt.Errorf("target_scores: %s, want 1 or 0 for each answer", kind(scores.values[name]))
		}
	}
	return byPoints("target_scores", texts, points)
}

// byPoints puts the answer with 1 point before that with none.
func byPoints(key string, texts []json.RawMessage, points []float64) (a, b side, err error) {
	first, second := side{key, texts[0]}, side{key, texts[1]}
	switch [2]float64{points[0], points[1]} {
	case [2]float64{1, 0}:
		return first, second, nil
	case [2]float64{0, 1}:
		return second, first, nil
	}
	return a, b, fmt.Errorf("%s: the answers have %v and %v points, want 1 and 0", key, points[0], points[1])
}

// answer reads a side that is a response alone: a text that is no transcript, or one turn of the assistant.
func (s side) answer() (text string, ok bool, err error) {
	if k := kind(s.value); k == "a list" || k == "an object" {
		msgs, err := parseMessages(asList(s.value))
		if err != nil || len(msgs) != 1 || msgs[0].Role != chat.Assistant {
			return "", false, named(s.key, err)
		}
		return msgs[0].Text, true, nil
	}
	text, err = parseText(s.value)
	if err == nil && holdsTurns(text) {
		return "", false, nil
	}
	return text, err == nil && !isTranscript(text), named(s.key, err) // a transcript comes with its text
}

// whole reads a side that is a conversation with its response.
func (s side) whole() (msgs []chat.Message, response string, err error) {
	msgs, err = promptOf(s.value, s.key)
	if err != nil {
		return nil, "", err
	}
	msgs, last := splitResponse(msgs)
	if last == nil || len(msgs) == 0 {
		return nil, "", fmt.Errorf("%s: its last assistant turn is missing or empty", s.key)
	}
	return msgs, *last, nil
}
