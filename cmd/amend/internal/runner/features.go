package runner

import (
	"slices"

	"amend/engine/llama"
)

// CPUFeatures are the features of this CPU that llama.cpp's kernels use, and how they were built, by llama.cpp's names.
func CPUFeatures() ([]string, error) {
	devices, err := llama.Devices()
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, d := range devices {
		if d.Type != llama.DeviceCPU {
			continue
		}
		for _, f := range d.Features {
			if f.Value == "1" && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names, nil
}
