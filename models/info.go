package models

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Info describes a model by its metadata and tensor list. Figures that the file does not give are zero.
type Info struct {
	Path            string      `json:"path"`
	Parts           int         `json:"parts"`
	Name            string      `json:"name,omitempty"` // general.name
	Architecture    string      `json:"architecture"`
	License         string      `json:"license,omitempty"` // general.license
	Parameters      uint64      `json:"parameters"`        // elements of all tensors
	Quantization    string      `json:"quantization"`      // general.file_type, else the type of most weights
	BitsPerWeight   float64     `json:"bits_per_weight"`
	TensorTypes     []TypeCount `json:"tensor_types"` // most weights first
	Context         uint64      `json:"context_length"`
	Embedding       uint64      `json:"embedding_length"`
	FeedForward     uint64      `json:"feed_forward_length,omitempty"` // of the first layer
	Layers          uint64      `json:"layers"`
	Heads           uint64      `json:"heads"`    // of the first layer that has any
	KVHeads         uint64      `json:"kv_heads"` // likewise
	HeadDim         uint64      `json:"head_dim"` // of keys
	Vocabulary      uint64      `json:"vocabulary"`
	Tokenizer       string      `json:"tokenizer"`               // tokenizer.ggml.model
	PreTokenizer    string      `json:"pre_tokenizer,omitempty"` // tokenizer.ggml.pre
	ChatTemplate    bool        `json:"chat_template"`
	TemplateSHA256  string      `json:"chat_template_sha256,omitempty"`
	TiedEmbeddings  bool        `json:"tied_embeddings"`    // no output.weight: the token embeddings serve
	KVBytesPerToken uint64      `json:"kv_bytes_per_token"` // f16 keys and values of all layers, no sliding window assumed
	KeysPerToken    uint64      `json:"-"`                  // numbers in the keys of a token, of all layers
	SizeBytes       uint64      `json:"size_bytes"`         // of all parts
	SHA256          string      `json:"sha256,omitempty"`   // filled by the caller, from SHA256: it reads the whole file
	Runnable        bool        `json:"runnable"`
	WhyNot          string      `json:"why_not,omitempty"` // what Generative says
}

// TypeCount is how much of a model is stored in one tensor type.
type TypeCount struct {
	Type       string `json:"type"`
	Tensors    int    `json:"tensors"`
	Parameters uint64 `json:"parameters"`
	Bytes      uint64 `json:"bytes"`
}

// Info describes the model. It reads nothing from disk.
func (m *Model) Info() Info {
	f := m.Parts[0]
	info := Info{Path: m.Path, Parts: len(m.Parts), SizeBytes: m.Size()}
	info.Name, _ = f.String("general.name")
	info.Architecture, _ = f.String("general.architecture")
	info.License, _ = f.String("general.license")
	m.countWeights(&info)
	m.readShape(&info)
	info.Tokenizer, _ = f.String("tokenizer.ggml.model")
	info.PreTokenizer, _ = f.String("tokenizer.ggml.pre")
	if tokens, ok := f.Value("tokenizer.ggml.tokens").([]string); ok {
		info.Vocabulary = uint64(len(tokens))
	}
	if template, ok := f.String("tokenizer.chat_template"); ok {
		sum := sha256.Sum256([]byte(template))
		info.ChatTemplate, info.TemplateSHA256 = true, hex.EncodeToString(sum[:])
	}
	info.Runnable = true
	if err := m.Generative(); err != nil {
		info.Runnable, info.WhyNot = false, err.Error()
	}
	return info
}

// countWeights fills the parameter count, the histogram of types and what follows from them.
func (m *Model) countWeights(info *Info) {
	counts := map[Type]*TypeCount{}
	var bytes uint64
	for _, p := range m.Parts {
		for _, t := range p.Tensors {
			c := counts[t.Type]
			if c == nil {
				c = &TypeCount{Type: t.Type.String()}
				counts[t.Type] = c
			}
			c.Tensors++
			c.Parameters += t.Elements()
			c.Bytes += t.Size
			info.Parameters += t.Elements()
			bytes += t.Size
		}
	}
	info.TensorTypes = []TypeCount{}
	for _, c := range counts {
		info.TensorTypes = append(info.TensorTypes, *c)
	}
	slices.SortFunc(info.TensorTypes, func(a, b TypeCount) int {
		return cmp.Or(cmp.Compare(b.Parameters, a.Parameters), cmp.Compare(a.Type, b.Type))
	})
	if info.Parameters > 0 {
		info.BitsPerWeight = float64(bytes) * 8 / float64(info.Parameters)
	}
	if ft, ok := m.Parts[0].uint("general.file_type"); ok {
		info.Quantization = FileType(ft).String()
	} else if len(info.TensorTypes) > 0 {
		info.Quantization = info.TensorTypes[0].Type
	}
	_, untied := m.tensor("output.weight")
	info.TiedEmbeddings = !untied && info.Parameters > 0
}

// readShape fills what lies under the architecture's own keys.
func (m *Model) readShape(info *Info) {
	f, key := m.Parts[0], func(k string) string { return info.Architecture + "." + k }
	info.Context, _ = f.uint(key("context_length"))
	info.Embedding, _ = f.uint(key("embedding_length"))
	info.Layers, _ = f.uint(key("block_count"))
	info.Vocabulary, _ = f.uint(key("vocab_size"))
	if ff, ok := f.Uints(key("feed_forward_length"), 1); ok {
		info.FeedForward = ff[0]
	}
	heads, _ := f.Uints(key("attention.head_count"), info.Layers)
	kvHeads, ok := f.Uints(key("attention.head_count_kv"), info.Layers)
	if !ok {
		kvHeads = heads
	}
	info.Heads, info.KVHeads = firstPositive(heads), firstPositive(kvHeads)
	if info.HeadDim, ok = f.uint(key("attention.key_length")); !ok && info.Heads > 0 {
		info.HeadDim = info.Embedding / info.Heads
	}
	valueDim, ok := f.uint(key("attention.value_length"))
	if !ok {
		valueDim = info.HeadDim
	}
	if _, mla := f.uint(key("attention.key_length_mla")); mla {
		valueDim = 0 // latent attention keeps one tensor, from which keys and values are both made
	}
	for _, n := range kvHeads[:min(uint64(len(kvHeads)), info.Layers)] {
		info.KVBytesPerToken += n * (info.HeadDim + valueDim) * 2
		info.KeysPerToken += n * info.HeadDim
	}
}

func firstPositive(list []uint64) uint64 {
	for _, n := range list {
		if n > 0 {
			return n
		}
	}
	return 0
}
