package runner

import (
	"strings"

	"amend/engine/llama"
)

// Device is something that llama.cpp computes on.
type Device struct {
	Name        string
	Description string
	Type        string // as llama.cpp has it: CPU, GPU, …
	Backend     string
	TotalMiB    uint64
	Features    []string // of the backend's code, that are in use
}

// Devices are what llama.cpp can compute on here.
func Devices() ([]Device, error) {
	found, err := llama.Devices()
	if err != nil {
		return nil, err
	}
	out := make([]Device, len(found))
	for i, d := range found {
		out[i] = Device{
			Name: d.Name, Description: strings.TrimSpace(d.Description), Type: string(d.Type), Backend: d.Backend,
			TotalMiB: d.MemoryTotal >> 20, Features: []string{},
		}
		for _, f := range d.Features {
			if f.Value == "1" {
				out[i].Features = append(out[i].Features, f.Name)
			}
		}
	}
	return out, nil
}
