package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// LogitBias is what is added to the logits of single tokens; −Inf bans one. In JSON and YAML it is an object of numbers by
// token id, in which −Inf is the text "-inf".
type LogitBias map[Token]float64

// banned is −Inf in JSON and YAML, which have no number for it or write it in their own way.
const banned = "-inf"

// MarshalJSON writes the object.
func (b LogitBias) MarshalJSON() ([]byte, error) {
	values, err := b.values()
	if err != nil {
		return nil, err
	}
	return json.Marshal(values)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (b *LogitBias) UnmarshalJSON(text []byte) error {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(text, &values); err != nil {
		return fmt.Errorf("reading a logit bias: %w", err)
	}
	texts := make(map[string]string, len(values))
	for id, raw := range values {
		if texts[id] = string(raw); texts[id] == strconv.Quote(banned) {
			texts[id] = banned
		}
	}
	return b.parse(texts)
}

// MarshalYAML gives the object to a YAML encoder.
func (b LogitBias) MarshalYAML() (any, error) { return b.values() }

// UnmarshalYAML reads what MarshalYAML has given. It also takes YAML's own -.inf.
func (b *LogitBias) UnmarshalYAML(decode func(any) error) error {
	var texts map[string]string // YAML would cut 198.9 down to a token
	if err := decode(&texts); err != nil {
		return fmt.Errorf("reading a logit bias: %w", err)
	}
	for id, text := range texts {
		if text == "-.inf" {
			texts[id] = banned
		}
	}
	return b.parse(texts)
}

// values are the biases as both formats can hold them.
func (b LogitBias) values() (map[Token]any, error) {
	values := make(map[Token]any, len(b))
	for id, bias := range b {
		switch {
		case math.IsInf(bias, -1):
			values[id] = banned
		case math.IsInf(bias, 1) || math.IsNaN(bias):
			return nil, fmt.Errorf("a logit bias of %v for token %d", bias, id)
		default:
			values[id] = bias
		}
	}
	return values, nil
}

// parse reads tokens and numbers from their texts. No biases are nil, however they are written.
func (b *LogitBias) parse(texts map[string]string) error {
	if len(texts) == 0 {
		*b = nil
		return nil
	}
	read := make(LogitBias, len(texts))
	for token, text := range texts {
		id, err := strconv.ParseInt(token, 10, 32)
		if err != nil {
			return fmt.Errorf("reading a logit bias: %s: must be the id of a token", token)
		}
		if _, twice := read[Token(id)]; twice { // 3 and 03
			return fmt.Errorf("reading a logit bias: token %d is there twice", id)
		}
		bias, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(bias) || (math.IsInf(bias, 0) && text != banned) {
			return fmt.Errorf("reading the logit bias of token %d: %s: must be a number or %s", id, text, banned)
		}
		read[Token(id)] = bias
	}
	*b = read
	return nil
}
