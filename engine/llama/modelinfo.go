package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"strings"
	"unsafe"
)

// KV is one entry of a model's metadata, its value as text.
type KV struct {
	Key, Value string
}

// copyString reads a string that C writes into a buffer in snprintf's manner:
// the result is its length, whatever the size of the buffer; below 0 means that there is no value.
func copyString(read func(buf *C.char, size C.size_t) C.int32_t) (string, bool) {
	buf := make([]byte, 256)
	for {
		n := int(read((*C.char)(unsafe.Pointer(&buf[0])), C.size_t(len(buf))))
		switch {
		case n < 0:
			return "", false
		case n < len(buf):
			return string(buf[:n]), true
		}
		buf = make([]byte, n+1)
	}
}

// Meta returns one metadata value as text (llama_model_meta_val_str). Arrays
// are not among them.
func (m *Model) Meta(key string) (string, bool) {
	if m.c == nil || strings.IndexByte(key, 0) >= 0 {
		return "", false
	}
	ckey := C.CString(key)
	defer C.free(unsafe.Pointer(ckey))
	return copyString(func(buf *C.char, size C.size_t) C.int32_t {
		return C.llama_model_meta_val_str(m.c, ckey, buf, size)
	})
}

// Metadata returns all metadata that is not an array, sorted as llama.cpp keeps
// it (llama_model_meta_count, _key_by_index, _val_str_by_index).
func (m *Model) Metadata() []KV {
	if m.c == nil {
		return nil
	}
	n := int(C.llama_model_meta_count(m.c))
	kvs := make([]KV, 0, n)
	for i := range n {
		key, ok := copyString(func(buf *C.char, size C.size_t) C.int32_t {
			return C.llama_model_meta_key_by_index(m.c, C.int32_t(i), buf, size)
		})
		value, ok2 := copyString(func(buf *C.char, size C.size_t) C.int32_t {
			return C.llama_model_meta_val_str_by_index(m.c, C.int32_t(i), buf, size)
		})
		if ok && ok2 {
			kvs = append(kvs, KV{key, value})
		}
	}
	return kvs
}

// ChatTemplate is the Jinja chat template in the metadata: the one of that name,
// or with "" the default one (llama_model_chat_template).
func (m *Model) ChatTemplate(name string) (string, bool) {
	if m.c == nil || strings.IndexByte(name, 0) >= 0 {
		return "", false
	}
	var cname *C.char
	if name != "" {
		cname = C.CString(name)
		defer C.free(unsafe.Pointer(cname))
	}
	t := C.llama_model_chat_template(m.c, cname)
	if t == nil {
		return "", false
	}
	return C.GoString(t), true
}

// FileType is the model's quantization (llama_model_ftype).
func (m *Model) FileType() FileType {
	if m.c == nil {
		return FileTypeGuessed
	}
	return FileType(C.llama_model_ftype(m.c))
}

// Size is the size of all tensors, in bytes (llama_model_size).
func (m *Model) Size() uint64 { return size(m, func() C.uint64_t { return C.llama_model_size(m.c) }) }

// Params is the number of parameters (llama_model_n_params).
func (m *Model) Params() uint64 {
	return size(m, func() C.uint64_t { return C.llama_model_n_params(m.c) })
}

// CtxTrain is the context length the model was trained with, in tokens.
func (m *Model) CtxTrain() int {
	return count(m, func() C.int32_t { return C.llama_model_n_ctx_train(m.c) })
}

// Embd is the width of the hidden state (llama_model_n_embd).
func (m *Model) Embd() int {
	return count(m, func() C.int32_t { return C.llama_model_n_embd(m.c) })
}

// EmbdOut is the length of what Context.Embedding returns (llama_model_n_embd_out).
func (m *Model) EmbdOut() int {
	return count(m, func() C.int32_t { return C.llama_model_n_embd_out(m.c) })
}

// Layers is the number of layers (llama_model_n_layer).
func (m *Model) Layers() int {
	return count(m, func() C.int32_t { return C.llama_model_n_layer(m.c) })
}

// Heads is the number of attention heads of the first layer (llama_model_n_head).
func (m *Model) Heads() int {
	return count(m, func() C.int32_t { return C.llama_model_n_head(m.c) })
}

// HeadsKV is the number of key and value heads (llama_model_n_head_kv).
func (m *Model) HeadsKV() int {
	return count(m, func() C.int32_t { return C.llama_model_n_head_kv(m.c) })
}

// SWA is the width of the sliding attention window in tokens; 0 means that it has no such window
// (llama_model_n_swa).
func (m *Model) SWA() int {
	return count(m, func() C.int32_t { return C.llama_model_n_swa(m.c) })
}

// Recurrent reports a model whose memory is a state, such as Mamba or RWKV: its
// sequences cannot be cut (llama_model_is_recurrent).
func (m *Model) Recurrent() bool {
	return is(m, func() C.bool { return C.llama_model_is_recurrent(m.c) })
}

// Hybrid reports a model with attention and recurrent layers
// (llama_model_is_hybrid).
func (m *Model) Hybrid() bool { return is(m, func() C.bool { return C.llama_model_is_hybrid(m.c) }) }

// Diffusion reports a diffusion model, which does not generate left to right
// (llama_model_is_diffusion).
func (m *Model) Diffusion() bool {
	return is(m, func() C.bool { return C.llama_model_is_diffusion(m.c) })
}

// HasEncoder reports a model that has an encoder, which is not run here (llama_model_has_encoder).
func (m *Model) HasEncoder() bool {
	return is(m, func() C.bool { return C.llama_model_has_encoder(m.c) })
}

// size, count and is read a number, or 0 and false for a closed model.
func size(m *Model, read func() C.uint64_t) uint64 {
	if m.c == nil {
		return 0
	}
	return uint64(read())
}

func count(m *Model, read func() C.int32_t) int {
	if m.c == nil {
		return 0
	}
	return int(read())
}

func is(m *Model, read func() C.bool) bool { return m.c != nil && bool(read()) }
