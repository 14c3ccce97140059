package digest

// Model says which model computes, and what of its settings changes what it computes. It is the one identity of a model:
// keys of turns, judgements, hidden states and saved preambles are made from it.
type Model struct {
	SHA256        string  `key:"turn,states"` // of the GGUF file
	AdapterSHA256 string  `key:"turn,states"` // of the LoRA adapter on it; empty where there is none
	AdapterScale  float64 `key:"turn,states"` // of the adapter; without one it counts for nothing
	// Chat is how conversations are written: template or plain. A turn's key holds the token ids that come of it.
	Chat string `key:"states"`
	// TemplateSHA256 is of the chat template; empty where there is none. As Chat, it shows in a turn's ids.
	TemplateSHA256 string `key:"states"`
	// KeyType is the type of the cached keys. Hidden states are computed with the one that the weights choose.
	KeyType string `key:"turn"`
	// Deterministic computes with kernels that round alike whatever runs beside a row.
	Deterministic bool `key:"turn,states"`
}
