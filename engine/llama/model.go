package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/cgo"
	"strings"
	"sync"
	"unsafe"
)

// Model is a loaded model (llama_model): its weights, or with VocabOnly its
// vocabulary and metadata only.
//
// Its methods may be called from several goroutines at once, Close apart. Many
// contexts may share one model.
type Model struct {
	c       *C.struct_llama_model
	path    string
	vocab   *Vocab
	only    bool // vocabulary only
	opened  *opened
	cleanup runtime.Cleanup

	gpuLayers int

	mu    sync.Mutex
	users map[*opened]struct{} // open contexts and adapters
}

// ModelParams says how to load a model. The zero value keeps every layer on the
// CPU and maps the file.
type ModelParams struct {
	// GPULayers is how many layers go to the GPU; -1 is all of them. Without a
	// GPU it has no effect.
	GPULayers int
	// VocabOnly loads the vocabulary and the metadata, but no weights.
	VocabOnly bool
	// NoRepack keeps weights in the layout of the file (use_extra_bufts): with
	// the repacked one, a CPU computes one token and several with kernels whose
	// results differ in the last bits.
	NoRepack bool
	// Progress, if set, is called on the loading goroutine with the part of the
	// weights that is loaded, from 0 to 1.
	Progress func(done float32)
}

// loading is what the progress callback of one load works on.
type loading struct {
	ctx      context.Context
	progress func(float32)
}

//export amendProgress
func amendProgress(load C.uintptr_t, done C.float) C.bool {
	l := cgo.Handle(load).Value().(*loading)
	if l.progress != nil {
		l.progress(float32(done))
	}
	return C.bool(l.ctx.Err() == nil)
}

// LoadModel loads the GGUF file at path (llama_model_load_from_file); of a split
// model, path is the first part. The end of ctx stops the load, and the error
// wraps ctx.Err(). Other errors quote llama.cpp's own lines. llama.cpp checks
// a file's tensors less than its header: check a file that is not trusted
// before it comes here.
func LoadModel(ctx context.Context, path string, p ModelParams) (*Model, error) {
	if err := Init(); err != nil {
		return nil, err
	}
	if err := readable(path); err != nil {
		return nil, fmt.Errorf("llama: load model: %w", err)
	}
	if ctx.Err() != nil {
		return nil, fmt.Errorf("llama: load model %q: %w", path, contextError(ctx))
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	handle := cgo.NewHandle(&loading{ctx, p.Progress})
	defer handle.Delete()

	mark := process.sink.mark()
	c := C.amend_model_load(cpath, p.c(), C.uintptr_t(handle))
	if ctx.Err() != nil {
		if c != nil {
			C.llama_model_free(c)
		}
		return nil, fmt.Errorf("llama: load model %q: %w", path, contextError(ctx))
	}
	if c == nil {
		return nil, errors.New(withLines(fmt.Sprintf("llama: load model %q", path), process.sink.errorsSince(mark)))
	}
	m := &Model{c: c, path: path, only: p.VocabOnly, gpuLayers: p.GPULayers, users: map[*opened]struct{}{}}
	m.vocab = newVocab(m)
	m.opened = newOpened(fmt.Sprintf("model %q", path))
	m.cleanup = reportLeak(m, m.opened)
	return m, nil
}

// readable finds the plain reasons why a file cannot be read, which llama.cpp
// words less clearly.
func readable(path string) error {
	if strings.IndexByte(path, 0) >= 0 {
		return fmt.Errorf("open %q: a path cannot hold a NUL byte", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("open %q: it is a folder", path)
	}
	return nil
}

// c is p in C.
func (p ModelParams) c() C.struct_llama_model_params {
	params := C.llama_model_default_params()
	params.n_gpu_layers = C.int32_t(p.GPULayers)
	params.vocab_only = C.bool(p.VocabOnly)
	if p.NoRepack {
		params.use_extra_bufts = false
	}
	return params
}

// Close frees the model (llama_model_free). While contexts or adapters made
// from it are open it frees nothing and returns an error that wraps ErrInUse
// and says where one of them was opened. Closing a closed model does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.c == nil {
		return nil
	}
	for user := range m.users {
		return fmt.Errorf("llama: close model %q: %w: %d open, one of them the %v", m.path, ErrInUse, len(m.users), user)
	}
	m.cleanup.Stop()
	C.llama_model_free(m.c)
	m.c = nil
	m.vocab.c = nil
	return nil
}

// acquire notes that o uses the model, which keeps it open.
func (m *Model) acquire(o *opened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[o] = struct{}{}
}

// release undoes acquire.
func (m *Model) release(o *opened) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.users, o)
}

// Vocab is the model's vocabulary. It ends with the model.
func (m *Model) Vocab() *Vocab { return m.vocab }

// Path is the file the model was loaded from.
func (m *Model) Path() string { return m.path }

func (m *Model) closed(doing string) error {
	return fmt.Errorf("llama: %s: model %q: %w", doing, m.path, ErrClosed)
}
