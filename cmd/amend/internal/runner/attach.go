package runner

import (
	"fmt"

	"amend/engine/llama"
)

// WhyCopied says why sequences of a model in contexts of this kind cannot read a
// preamble without holding it, but hold copies; it is empty where they can.
func WhyCopied(m *llama.Model, s ContextPlan) (string, error) {
	switch {
	case m.Recurrent() || m.Hybrid():
		return "the model keeps states, which only whole sequences have", nil
	case m.SWA() > 0:
		return fmt.Sprintf("layers attend to a sliding window of %d tokens", m.SWA()), nil
	case s.Unified:
		return "with shared cells the preamble lies there once, and each row reads it for itself", nil
	case s.FlashAttn != llama.FlashOff:
		return "flash attention, which a GPU uses, reads each sequence's own cells", nil
	case ropeByContext(m):
		return "rotary factors depend on the length of a sequence's stream, which would no longer be the longest row", nil
	}
	c, err := m.NewContext(llama.ContextParams{Ctx: 512, SeqMax: 2, Batch: 32, OutputsMax: 2, TypeK: s.TypeK, FlashAttn: s.FlashAttn, SWAFull: true})
	if err != nil {
		return "", fmt.Errorf("trying whether sequences can be attached to one another: %w", err)
	}
	if c.CanAttach() {
		return "", c.Close()
	}
	return "the model's cache is not the plain one of keys and values for each head", c.Close()
}
