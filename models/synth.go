package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"amend/engine/atomicfile"
)

// Spec says what model to make up.
type Spec struct {
	Shape     Shape
	Quant     string // one of Quantizations
	Seed      uint64
	Tokenizer *Model // whose vocabulary, merges, special tokens and chat template the new model gets
	Template  string // a chat template in place of the tokenizer's, empty for the tokenizer's
	Workers   int    // 0 for one per CPU; the file is the same whatever it is
}

// Synthesized describes a model that Synth wrote.
type Synthesized struct {
	Path       string      `json:"path"`
	SizeBytes  uint64      `json:"size_bytes"`
	SHA256     string      `json:"sha256"`
	Parameters uint64      `json:"parameters"`
	Types      []TypeCount `json:"tensor_types"`
	Fallbacks  []Fallback  `json:"fallbacks"` // empty when every row fitted its type
}

// Fallback tells of tensors whose rows are not a whole number of the wanted type's blocks.
type Fallback struct {
	Want    string `json:"want"`
	Got     string `json:"got"`
	Row     uint64 `json:"row"` // elements in a row
	Tensors int    `json:"tensors"`
}

// chunkBytes is how much tensor data one worker makes at a time.
const chunkBytes = 1 << 20

// Synth writes a model with random weights to path: real shapes, a real tokenizer, no meaning. Memory stays
// at a few MB per worker plus the tokenizer. The bytes depend on shape, quantization, seed, tokenizer and
// template alone. The file appears under its name only when it is complete; one that exists is an error
// unless replace is set. progress, if not nil, is called now and then with the bytes of tensor data done so far and in all.
func Synth(ctx context.Context, path string, spec Spec, replace bool, progress func(done, total uint64)) (Synthesized, error) {
	plan, err := newPlan(spec)
	if err != nil {
		return Synthesized{}, err
	}
	if _, err := os.Lstat(path); err == nil && !replace {
		return Synthesized{}, invalidf("synth: %s exists", path)
	}
	sum := sha256.New()
	err = atomicfile.Write(path, func(w io.Writer) error {
		return plan.write(ctx, io.MultiWriter(w, sum), progress)
	})
	if err != nil {
		return Synthesized{}, fmt.Errorf("synth: %w", err)
	}
	m, err := Open(path)
	if err != nil {
		return Synthesized{}, fmt.Errorf("synth: the file just written: %w", err)
	}
	info := m.Info()
	return Synthesized{Path: path, SizeBytes: info.SizeBytes, SHA256: hex.EncodeToString(sum.Sum(nil)),
		Parameters: info.Parameters, Types: info.TensorTypes, Fallbacks: plan.fallbacks}, nil
}

// plan is everything decided before the first byte is written.
type plan struct {
	seed      uint64
	workers   int
	metadata  []KV
	weights   []weight
	tensors   []Tensor // of the same order
	fallbacks []Fallback
}

func newPlan(spec Spec) (*plan, error) {
	r, err := findRecipe(spec.Quant)
	if err != nil {
		return nil, err
	}
	if err := spec.Shape.check(); err != nil {
		return nil, err
	}
	tokenizer := spec.Tokenizer.Parts[0]
	tokens, _ := tokenizer.Value("tokenizer.ggml.tokens").([]string)
	if len(tokens) == 0 {
		return nil, invalidf("%s has no tokenizer.ggml.tokens: a tokenizer must be a model or a vocabulary in GGUF", tokenizer.Path)
	}
	p := &plan{seed: spec.Seed, workers: cmp.Or(spec.Workers, runtime.GOMAXPROCS(0)), fallbacks: []Fallback{}}
	vocabulary := uint64(len(tokens))
	p.metadata = append([]KV{
		{"general.architecture", spec.Shape.Arch},
		{"general.type", "model"},
		{"general.name", fmt.Sprintf("synthetic %s %s seed %d", spec.Shape.Name, r.name, spec.Seed)},
		{"general.file_type", uint32(r.file)},
		{"general.quantization_version", uint32(2)},
	}, spec.Shape.metadata(vocabulary)...)
	p.metadata = append(p.metadata, tokenizerKVs(tokenizer, spec.Template)...)
	p.weights = spec.Shape.weights(vocabulary)
	for _, w := range p.weights {
		want := r.want(w, spec.Shape.Layers)
		got := fits(want, w.dims[0])
		if got != want {
			p.fellBack(want, got, w.dims[0])
		}
		p.tensors = append(p.tensors, Tensor{Name: w.name, Dims: w.dims, Type: got})
	}
	return p, nil
}

// tokenizerKVs copies all that belongs to the tokenizer, with the template replaced if one is given.
func tokenizerKVs(f *File, template string) []KV {
	var kvs []KV
	for _, kv := range f.KVs {
		if strings.HasPrefix(kv.Key, "tokenizer.") && (template == "" || kv.Key != "tokenizer.chat_template") {
			kvs = append(kvs, kv)
		}
	}
	if template != "" {
		kvs = append(kvs, KV{"tokenizer.chat_template", template})
	}
	return kvs
}

// fellBack counts a fallback.
func (p *plan) fellBack(want, got Type, row uint64) {
	for i, f := range p.fallbacks {
		if f.Want == want.String() && f.Got == got.String() && f.Row == row {
			p.fallbacks[i].Tensors++
			return
		}
	}
	p.fallbacks = append(p.fallbacks, Fallback{want.String(), got.String(), row, 1})
}

// chunk is a stretch of one tensor's data on its way from a worker to the file.
type chunk struct {
	weight *weight
	kind   Type
	number uint64 // within the tensor
	data   []byte
	made   chan struct{} // closed when data is complete
}

// write makes chunks in parallel and writes them in order. Buffers circulate: writing a chunk frees its
// buffer for a later one, so that there are never more than two per worker.
func (p *plan) write(ctx context.Context, w io.Writer, progress func(done, total uint64)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the producer and the workers when writing fails
	out, err := NewWriter(w, p.metadata, p.tensors)
	if err != nil {
		return err
	}
	free := make(chan []byte, 2*p.workers)
	for range cap(free) {
		free <- make([]byte, chunkBytes)
	}
	work, ordered := make(chan *chunk, cap(free)), make(chan *chunk, cap(free))
	go p.produce(ctx, out.tensors, free, work, ordered)
	for range p.workers {
		go func() {
			for c := range work {
				c.weight.fill(c.data, c.kind, streamFor(p.seed, c.weight.name, c.number))
				close(c.made)
			}
		}()
	}
	var done, total uint64
	for _, t := range out.tensors {
		total += t.Size
	}
	for c := range ordered {
		<-c.made
		if _, err := out.Write(c.data); err != nil {
			return err
		}
		done += uint64(len(c.data))
		free <- c.data[:chunkBytes]
		if progress != nil {
			progress(done, total)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return out.Close()
}

// produce cuts the tensors into chunks of whole blocks and hands each to the workers and to the writer.
func (p *plan) produce(ctx context.Context, tensors []Tensor, free <-chan []byte, work, ordered chan<- *chunk) {
	defer close(ordered)
	defer close(work)
	for i, t := range tensors {
		tr, _ := t.Type.traits()
		whole := chunkBytes / tr.bytes * tr.bytes
		for number := range (t.Size + whole - 1) / whole {
			select {
			case <-ctx.Done():
				return
			case buf := <-free:
				size := min(whole, t.Size-number*whole)
				c := &chunk{&p.weights[i], t.Type, number, buf[:size], make(chan struct{})}
				work <- c // never blocks: there are no more chunks than buffers, nor more buffers than places
				ordered <- c
			}
		}
	}
}
