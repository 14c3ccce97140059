package prompts

import (
	"encoding/json"
	"strings"
)

// Paths name the files of an input: files, folders and patterns, and "-" for standard input. In JSON and YAML one path is a
// text, several are a list.
type Paths []string

// String returns the paths for a message.
func (p Paths) String() string { return strings.Join(p, ", ") }

// MarshalJSON implements json.Marshaler.
func (p Paths) MarshalJSON() ([]byte, error) {
	v, _ := p.MarshalYAML()
	return json.Marshal(v)
}

// MarshalYAML implements yaml.Marshaler.
func (p Paths) MarshalYAML() (any, error) {
	switch len(p) {
	case 0:
		return "", nil
	case 1:
		return p[0], nil
	}
	return []string(p), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Paths) UnmarshalJSON(text []byte) error {
	return p.unmarshal(func(v any) error { return json.Unmarshal(text, v) })
}

// UnmarshalYAML reads what MarshalYAML has written.
func (p *Paths) UnmarshalYAML(unmarshal func(any) error) error { return p.unmarshal(unmarshal) }

func (p *Paths) unmarshal(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*p = nil
		if one != "" {
			*p = Paths{one}
		}
		return nil
	}
	var several []string
	if err := unmarshal(&several); err != nil {
		return err
	}
	*p = several
	return nil
}
