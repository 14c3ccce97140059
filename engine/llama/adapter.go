package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unsafe"
)

// Adapter is a LoRA adapter loaded for a model (llama_adapter_lora). llama.cpp
// checks only that architecture and shapes fit: an adapter made for another
// base of that shape loads without complaint.
//
// Several contexts of its model may use it at once, each with its own scale.
type Adapter struct {
	c       *C.struct_llama_adapter_lora
	model   *Model
	path    string
	opened  *opened
	cleanup runtime.Cleanup

	mu   sync.Mutex
	sets int // contexts it is set on
}

// LoadAdapter loads a LoRA adapter from a GGUF file (llama_adapter_lora_init).
// Load and close adapters while no context of the model decodes.
func (m *Model) LoadAdapter(path string) (*Adapter, error) {
	if m.c == nil {
		return nil, m.closed("load adapter")
	}
	if m.only {
		return nil, fmt.Errorf("llama: load adapter: model %q was loaded without weights (VocabOnly)", m.path)
	}
	if err := readable(path); err != nil {
		return nil, fmt.Errorf("llama: load adapter: %w", err)
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	mark := process.sink.mark()
	c := C.amend_adapter_load(m.c, cpath)
	if c == nil {
		return nil, errors.New(withLines(fmt.Sprintf("llama: load adapter %q for model %q", path, m.path), process.sink.errorsSince(mark)))
	}
	a := &Adapter{c: c, model: m, path: path, opened: newOpened(fmt.Sprintf("adapter %q", path))}
	a.cleanup = reportLeak(a, a.opened)
	m.acquire(a.opened)
	return a, nil
}

// Close frees the adapter (llama_adapter_lora_free). While it is set on a
// context it frees nothing and returns an error that wraps ErrInUse. Closing a
// closed adapter does nothing.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c == nil {
		return nil
	}
	if a.sets > 0 {
		return fmt.Errorf("llama: close adapter %q: %w: it is set on %d contexts", a.path, ErrInUse, a.sets)
	}
	a.cleanup.Stop()
	C.llama_adapter_lora_free(a.c)
	a.c = nil
	a.model.release(a.opened)
	return nil
}

// Path is the file the adapter was loaded from.
func (a *Adapter) Path() string { return a.path }

// Meta returns one metadata value as text (llama_adapter_meta_val_str).
func (a *Adapter) Meta(key string) (string, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c == nil || strings.IndexByte(key, 0) >= 0 {
		return "", false
	}
	ckey := C.CString(key)
	defer C.free(unsafe.Pointer(ckey))
	return copyString(func(buf *C.char, size C.size_t) C.int32_t {
		return C.llama_adapter_meta_val_str(a.c, ckey, buf, size)
	})
}

// set notes that a context uses the adapter; unset undoes it.
func (a *Adapter) set() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.c == nil {
		return fmt.Errorf("llama: adapter %q: %w", a.path, ErrClosed)
	}
	a.sets++
	return nil
}

func (a *Adapter) unset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sets--
}

// SetAdapters makes the adapters, each with its scale, all that the context uses
// from the next Decode on (llama_set_adapters_lora); with none the model is
// itself again. What the KV cache holds was computed with the ones before. On an
// error nothing changes.
func (c *Context) SetAdapters(adapters []*Adapter, scales []float32) error {
	if c.c == nil {
		return c.closed("set adapters")
	}
	if len(adapters) != len(scales) {
		return fmt.Errorf("llama: set adapters: %d adapters and %d scales", len(adapters), len(scales))
	}
	for i, a := range adapters {
		if a.model != c.model {
			return fmt.Errorf("llama: set adapters: %q was loaded for another model", a.path)
		}
		if slices.Contains(adapters[:i], a) {
			return fmt.Errorf("llama: set adapters: %q is named twice", a.path)
		}
		if f := float64(scales[i]); math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("llama: set adapters: the scale of %q is %v", a.path, f)
		}
	}
	for i, a := range adapters {
		if err := a.set(); err != nil {
			for _, b := range adapters[:i] {
				b.unset()
			}
			return err
		}
	}
	// The list of C pointers is built in C memory, as cgo wants.
	n := C.size_t(len(adapters))
	list := (**C.struct_llama_adapter_lora)(C.calloc(n+1, C.size_t(unsafe.Sizeof(uintptr(0)))))
	defer C.free(unsafe.Pointer(list))
	values := make([]C.float, len(scales)+1)
	for i, a := range adapters {
		unsafe.Slice(list, len(adapters))[i] = a.c
		values[i] = C.float(scales[i])
	}
	mark := process.sink.mark()
	if code := C.amend_set_adapters(c.c, list, n, &values[0]); code != 0 {
		for _, a := range adapters {
			a.unset()
		}
		return errors.New(withLines(fmt.Sprintf("llama: set adapters: result %d", code), process.sink.errorsSince(mark)))
	}
	for _, a := range c.adapters {
		a.unset()
	}
	c.adapters = slices.Clone(adapters)
	return nil
}
