package runner

import "amend/engine/digest"

// Identity says which model computes, with a context of this kind. Keys of what it computes are made from it.
func (m *Model) Identity(kind ContextPlan) digest.Model {
	id := m.stateless()
	id.KeyType = kind.TypeK.String()
	return id
}

// stateless is the identity without a context.
func (m *Model) stateless() digest.Model {
	return digest.Model{
		SHA256: m.sha256, AdapterSHA256: m.adapterSHA, AdapterScale: m.weights.Adapter.Scale,
		Chat: m.compute.Chat, TemplateSHA256: m.templateSHA, Deterministic: m.compute.Deterministic,
	}
}

// Named names what computes: the model by its hash, with the adapter that is set on it.
func (m *Model) Named() string { return m.stateless().Weights() }

// Environment names what logits depend on beside the tokens.
func (m *Model) Environment(kind ContextPlan) string { return m.Identity(kind).Environment() }

// StatesName names what hidden states depend on beside the tokens.
func (m *Model) StatesName() string { return m.stateless().States() }
