// Package models works with model files without loading them: it finds them by name in the caches of this
// machine, reads and checks GGUF before any C code sees the file, describes what a file holds, verifies
// checksums, and writes models of real shapes with random weights (Synth).
//
// Everything here is pure Go and safe for concurrent use unless a type says otherwise. Nothing is ever
// downloaded, and no cache of another program is ever written to.
//
// The file format is described in ggml's docs/gguf.md; where llama.cpp's own loader is stricter than that
// page (nested arrays, name lengths, tensors packed in file order), this package is as strict as the loader.
package models
