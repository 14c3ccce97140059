package runner

import (
	"fmt"
	"os"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/engine/llama"
)

// Deterministic prepares this process for results that depend on no neighbour,
// before a model is loaded, or says why they cannot be had here: what computes
// several columns of a product must add in the order in which one column is
// added (docs/design/exactness.md). The model is then loaded with NoRepack,
// and its context has streams and no flash attention.
func Deterministic(gpuLayers int) error {
	gpu, err := UsesGPU(gpuLayers)
	if err != nil {
		return err
	}
	if gpu {
		return &failure.FieldError{Field: "deterministic", Want: "needs the CPU: a GPU's kernels choose the order of sums by the size of a batch; set gpu-layers to 0"}
	}
	devices, err := llama.Devices()
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Type == llama.DeviceAccel {
			return &failure.FieldError{Field: "deterministic", Want: d.Name + " computes large batches in another order than small ones: build the libraries without it"}
		}
		if d.Type == llama.DeviceCPU && slices.ContainsFunc(d.Features, func(f llama.Feature) bool { return f.Name == "MATMUL_INT8" }) {
			return &failure.FieldError{Field: "deterministic", Want: "this CPU's int8 kernels compute two columns in another order than one"}
		}
	}
	// ggml has a kernel for IQ types from eight columns on, and reads once, at the
	// first such product, whether it may use it.
	if err := os.Setenv("GGML_NO_IQ_PANEL", "1"); err != nil {
		return fmt.Errorf("turning off ggml's kernel for IQ types: %w", err)
	}
	return nil
}
