package llama

// The include and library paths are the clone's lib folder, which make fills.
// No run path is set here: bin/amend gets one from the Makefile, and tests run
// with LD_LIBRARY_PATH, so that the folder can be swapped for a CUDA one.

// #cgo CFLAGS: -I${SRCDIR}/../../lib/include
// #cgo CXXFLAGS: -I${SRCDIR}/../../lib/include -std=c++17
// #cgo LDFLAGS: -L${SRCDIR}/../../lib -lllama -lggml -lggml-base -lamend-jinja
// #cgo linux LDFLAGS: -ldl
import "C"
