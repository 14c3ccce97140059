package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"amend/cmd/amend/internal/runner"
	"amend/engine/llama"
)

// healthModel is how rows of a model would run on this machine.
type healthModel struct {
	Path         string `json:"path"`
	Architecture string `json:"architecture"`
	Quantization string `json:"quantization"`
	Keys         string `json:"kv_type"`    // of cached keys
	CellBytes    uint64 `json:"cell_bytes"` // keys and values of a token
	// Attached: rows read a shared preamble once for all of them, in place of holding
	// a copy each; else Why.
	Attached bool   `json:"attached"`
	Why      string `json:"why_copied,omitempty"`
}

// examineModel loads a model as amend run would, and says what it would do.
func examineModel(ctx context.Context, name string) (h *healthModel, err error) {
	file, err := resolveModel(name)
	if err != nil {
		return nil, err
	}
	info := file.Info()
	m, err := llama.LoadModel(ctx, file.Path, llama.ModelParams{GPULayers: -1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	keys, err := runner.ChooseKVType(runner.KVAuto, info.Quantization, m, -1)
	if err != nil {
		return nil, err
	}
	flash, err := runner.FlashAttention(-1)
	if err != nil {
		return nil, err
	}
	h = &healthModel{
		Path: info.Path, Architecture: info.Architecture, Quantization: info.Quantization,
		Keys: keys.String(), CellBytes: runner.CellBytes(info, keys),
	}
	h.Why, err = runner.WhyCopied(m, runner.Size{TypeK: keys, FlashAttn: flash})
	h.Attached = err == nil && h.Why == ""
	return h, err
}

func (h *healthModel) print(w io.Writer) {
	fmt.Fprintf(w, "model\t%s: %s, %s, keys in %s, %d bytes of KV cache a token\n", h.Path, h.Architecture, h.Quantization, h.Keys, h.CellBytes)
	if h.Attached {
		fmt.Fprintf(w, "\ta shared preamble is read once for all rows\n")
	} else {
		fmt.Fprintf(w, "\ta shared preamble is copied to every row: %s\n", h.Why)
	}
}
