package testbed

import (
	"crypto/sha256"
	_ "embed" // for the model
	"encoding/hex"
)

// Name is what --model and --constitution call the testbed.
const Name = "testbed"

// FileName is the embedded model's file name.
const FileName = "testbed.gguf"

//go:embed testbed.gguf
var file []byte

// File is the embedded model, a GGUF file. The caller does not change it.
func File() []byte { return file }

// SHA256 is the embedded model's checksum, in hex.
func SHA256() string {
	sum := sha256.Sum256(file)
	return hex.EncodeToString(sum[:])
}
