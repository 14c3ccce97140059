package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"sync"
)

// process is what llama.cpp itself keeps once per process: its backends and its
// log. It is the package's only variable that changes.
var process struct {
	once sync.Once
	err  error
	sink logSink
}

// Init starts llama.cpp: it captures the log, loads the backend libraries that
// lie beside libllama when none is linked in (ggml_backend_load_all_from_path),
// and calls llama_backend_init. Every function that needs it calls it; calling
// it again does nothing and returns the first result. The error says that no
// device can compute.
func Init() error {
	process.once.Do(func() {
		process.sink.install()
		mark := process.sink.mark()
		C.amend_backend_init()
		if C.ggml_backend_dev_count() == 0 {
			process.err = errors.New(withLines("llama: no compute backend found: libggml-cpu is missing beside libllama; run make build",
				process.sink.errorsSince(mark)))
		}
	})
	return process.err
}

// Version is llama.cpp's version (llama_version).
func Version() string { return C.GoString(C.llama_version()) }

// SystemInfo is llama.cpp's one-line description of the backends and the CPU
// features they were built with (llama_print_system_info).
func SystemInfo() string {
	if err := Init(); err != nil {
		return err.Error()
	}
	return C.GoString(C.llama_print_system_info())
}

// MaxSequences is the most sequences a context can hold
// (llama_max_parallel_sequences).
func MaxSequences() int { return int(C.llama_max_parallel_sequences()) }

// SupportsGPUOffload reports whether a GPU backend is loaded and found a device
// (llama_supports_gpu_offload).
func SupportsGPUOffload() bool {
	return Init() == nil && bool(C.llama_supports_gpu_offload())
}
