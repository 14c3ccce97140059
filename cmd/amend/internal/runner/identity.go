package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"amend/engine/digest"
	"amend/engine/llama"
)

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

// CostsKey is a key for how long steps take: by model, llama.cpp, the devices with what they can do, the sizes and
// threads of the context, and the tokens before those that are computed.
func (m *Model) CostsKey(s ContextPlan, depth int) (string, error) {
	devices, err := deviceNames()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(struct {
		Model, Library string
		Devices        []string
		Layers         int
		Size           ContextPlan
		Depth          int
	}{m.Environment(s), llama.Version(), devices, m.compute.GPULayers, s, depth})
	if err != nil {
		return "", fmt.Errorf("naming the costs of steps: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// StatesName names what hidden states depend on beside the tokens.
func (m *Model) StatesName() string { return m.stateless().States() }
