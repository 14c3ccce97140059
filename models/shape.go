package models

import (
	"math"
	"strconv"
	"strings"
)

// Shape is the geometry of a transformer decoder with gated feed-forward and grouped-query attention.
type Shape struct {
	Name        string
	Arch        string // "llama" or "qwen2"
	Layers      uint64
	Embedding   uint64
	FeedForward uint64
	Heads       uint64
	KVHeads     uint64
	Context     uint64  // tokens the real model was trained for
	RopeBase    float32 // frequency base of the rotary position embedding
	RopeFactor  float32 // Llama 3's stretching of slow frequencies, 0 for none
	NormEps     float32
	Tied        bool // the token embeddings serve as the output matrix
	QKVBias     bool
}

// Shapes lists the shapes that have a name. Figures are those of the released models' configurations; the
// vocabulary comes from the tokenizer.
func Shapes() []Shape {
	return []Shape{
		{Name: "tiny", Arch: "llama", Layers: 2, Embedding: 64, FeedForward: 128, Heads: 4, KVHeads: 2, Context: 8192, RopeBase: 1e4, NormEps: 1e-5, Tied: true},
		{Name: "smollm2-135m", Arch: "llama", Layers: 30, Embedding: 576, FeedForward: 1536, Heads: 9, KVHeads: 3, Context: 8192, RopeBase: 1e5, NormEps: 1e-5, Tied: true},
		{Name: "qwen2.5-0.5b", Arch: "qwen2", Layers: 24, Embedding: 896, FeedForward: 4864, Heads: 14, KVHeads: 2, Context: 32768, RopeBase: 1e6, NormEps: 1e-6, Tied: true, QKVBias: true},
		{Name: "qwen2.5-1.5b", Arch: "qwen2", Layers: 28, Embedding: 1536, FeedForward: 8960, Heads: 12, KVHeads: 2, Context: 32768, RopeBase: 1e6, NormEps: 1e-6, Tied: true, QKVBias: true},
		{Name: "qwen2.5-7b", Arch: "qwen2", Layers: 28, Embedding: 3584, FeedForward: 18944, Heads: 28, KVHeads: 4, Context: 32768, RopeBase: 1e6, NormEps: 1e-6, QKVBias: true},
		{Name: "llama-3.2-1b", Arch: "llama", Layers: 16, Embedding: 2048, FeedForward: 8192, Heads: 32, KVHeads: 8, Context: 131072, RopeBase: 5e5, RopeFactor: 32, NormEps: 1e-5, Tied: true},
		{Name: "llama-3.2-3b", Arch: "llama", Layers: 28, Embedding: 3072, FeedForward: 8192, Heads: 24, KVHeads: 8, Context: 131072, RopeBase: 5e5, RopeFactor: 32, NormEps: 1e-5, Tied: true},
		{Name: "llama-3.1-8b", Arch: "llama", Layers: 32, Embedding: 4096, FeedForward: 14336, Heads: 32, KVHeads: 8, Context: 131072, RopeBase: 5e5, RopeFactor: 8, NormEps: 1e-5},
	}
}

// shapeNames lists the names in Shapes.
func shapeNames() []string {
	var names []string
	for _, s := range Shapes() {
		names = append(names, s.Name)
	}
	return names
}

// ParseShape reads the name of a shape, or "L,D,F,H,KV": layers, embedding, feed-forward, heads and KV heads of
// a llama model with tied embeddings. Errors match ErrInvalid.
func ParseShape(text string) (Shape, error) {
	for _, s := range Shapes() {
		if s.Name == text {
			return s, nil
		}
	}
	fields := strings.Split(text, ",")
	if len(fields) != 5 {
		return Shape{}, invalidf("shape %q must be one of %s, or L,D,F,H,KV: layers, embedding, feed-forward, heads, KV heads", text, strings.Join(shapeNames(), ", "))
	}
	var n [5]uint64
	for i, f := range fields {
		var err error
		if n[i], err = strconv.ParseUint(strings.TrimSpace(f), 10, 32); err != nil {
			return Shape{}, invalidf("shape %q: %q must be a whole number", text, f)
		}
	}
	s := Shape{Name: text, Arch: "llama", Layers: n[0], Embedding: n[1], FeedForward: n[2], Heads: n[3], KVHeads: n[4], Context: 8192, RopeBase: 1e4, NormEps: 1e-5, Tied: true}
	return s, s.check()
}

// check says what makes a shape impossible.
func (s Shape) check() error {
	limits := []struct {
		name     string
		n, limit uint64
	}{{"layers", s.Layers, 512}, {"embedding", s.Embedding, 1 << 16}, {"feed-forward", s.FeedForward, 1 << 18}, {"heads", s.Heads, 512}, {"KV heads", s.KVHeads, 512}}
	for _, l := range limits {
		if l.n < 1 || l.n > l.limit {
			return invalidf("shape %q: %s is %d, but must be from 1 to %d", s.Name, l.name, l.n, l.limit)
		}
	}
	if s.Embedding%s.Heads != 0 || s.headDim()%2 != 0 {
		return invalidf("shape %q: the embedding, %d, must be an even multiple of the %d heads", s.Name, s.Embedding, s.Heads)
	}
	if s.Heads%s.KVHeads != 0 {
		return invalidf("shape %q: the %d heads must be a multiple of the %d KV heads", s.Name, s.Heads, s.KVHeads)
	}
	return nil
}

func (s Shape) headDim() uint64 { return s.Embedding / s.Heads }

// metadata is what llama.cpp needs to know of the shape.
func (s Shape) metadata(vocabulary uint64) []KV {
	key := func(k string) string { return s.Arch + "." + k }
	return []KV{
		{key("block_count"), uint32(s.Layers)},
		{key("context_length"), uint32(s.Context)},
		{key("embedding_length"), uint32(s.Embedding)},
		{key("feed_forward_length"), uint32(s.FeedForward)},
		{key("attention.head_count"), uint32(s.Heads)},
		{key("attention.head_count_kv"), uint32(s.KVHeads)},
		{key("attention.layer_norm_rms_epsilon"), s.NormEps},
		{key("rope.dimension_count"), uint32(s.headDim())},
		{key("rope.freq_base"), s.RopeBase},
		{key("vocab_size"), uint32(vocabulary)},
	}
}

// role is what a matrix is for; recipes choose types by it.
type role int

const (
	roleOther  role = iota // attention queries, keys and outputs; gate and up projections
	roleEmbed              // token embeddings
	roleOutput             // output matrix, or embeddings that serve as one
	roleValue              // attention values
	roleDown               // feed-forward down projection
	roleVector             // norms, biases, frequencies: always F32
)

// weight is a tensor to be made up.
type weight struct {
	name  string
	dims  []uint64
	role  role
	layer uint64
	fill  fill
}

// weights lists all tensors in the order in which llama.cpp's converter writes them.
func (s Shape) weights(vocabulary uint64) []weight {
	d, kv := s.Embedding, s.KVHeads*s.headDim()
	var all []weight
	add := func(name string, r role, layer uint64, f fill, dims ...uint64) {
		all = append(all, weight{name, dims, r, layer, f})
	}
	if s.RopeFactor > 0 {
		add("rope_freqs.weight", roleVector, 0, s.ropeFreqs, s.headDim()/2)
	}
	embed := roleEmbed
	if s.Tied {
		embed = roleOutput
	} else {
		add("output.weight", roleOutput, 0, normal(d), d, vocabulary)
	}
	add("token_embd.weight", embed, 0, normal(d), d, vocabulary)
	for i := range s.Layers {
		matrix := func(name string, r role, in, out uint64) {
			add("blk."+strconv.FormatUint(i, 10)+"."+name+".weight", r, i, normal(in), in, out)
		}
		vector := func(name string, f fill, n uint64) {
			add("blk."+strconv.FormatUint(i, 10)+"."+name, roleVector, i, f, n)
		}
		vector("attn_norm.weight", ones, d)
		matrix("attn_q", roleOther, d, d)
		matrix("attn_k", roleOther, d, kv)
		matrix("attn_v", roleValue, d, kv)
		matrix("attn_output", roleOther, d, d)
		if s.QKVBias {
			vector("attn_q.bias", normal(biasFanIn), d)
			vector("attn_k.bias", normal(biasFanIn), kv)
			vector("attn_v.bias", normal(biasFanIn), kv)
		}
		vector("ffn_norm.weight", ones, d)
		matrix("ffn_gate", roleOther, d, s.FeedForward)
		matrix("ffn_up", roleOther, d, s.FeedForward)
		matrix("ffn_down", roleDown, s.FeedForward, d)
	}
	add("output_norm.weight", roleVector, 0, ones, d)
	return all
}

// biasFanIn makes biases of standard deviation 0.1, small beside projections, whose deviation is about 1.
const biasFanIn = 100

// ropeFreqs gives the divisors of Llama 3's rotary frequencies ("llama3" rope scaling in transformers, with
// its released settings: low factor 1, high factor 4, original context 8192): wavelengths beyond 8192 are
// stretched by the full factor, those below 2048 not at all, with a linear ramp in frequency between.
func (s Shape) ropeFreqs(dst []byte, _ Type, _ *stream) {
	const low, high, original = 1, 4, 8192
	dim := float64(s.headDim())
	for i := range len(dst) / 4 {
		wavelength := 2 * math.Pi * math.Pow(float64(s.RopeBase), 2*float64(i)/dim)
		divisor := 1.0
		switch {
		case wavelength > original/low:
			divisor = float64(s.RopeFactor)
		case wavelength >= original/high:
			ramp := (original/wavelength - low) / (high - low)
			divisor = 1 / ((1-ramp)/float64(s.RopeFactor) + ramp)
		}
		putF32(dst[4*i:], float32(divisor))
	}
}
