package runner

import "fmt"

// Named names what computes: the model by its hash, with the adapter that is set on it. It is part of hashes.
func (m *Model) Named() string {
	if m.adapterSHA == "" {
		return m.sha256
	}
	return fmt.Sprintf("%s with adapter %s at %v", m.sha256, m.adapterSHA, m.weights.Adapter.Scale)
}

// Environment names what logits depend on beside the tokens. It is part of the keys of turns and judgements.
func (m *Model) Environment(kind Size) string {
	return fmt.Sprintf("model %s, keys %s, deterministic %v", m.Named(), kind.TypeK, m.compute.Deterministic)
}

// StatesName names what hidden states depend on beside the tokens. It is part of their keys.
func (m *Model) StatesName() string {
	return fmt.Sprintf("model %s, %s %s, deterministic %v", m.sha256, m.compute.Chat, m.templateSHA, m.compute.Deterministic)
}
