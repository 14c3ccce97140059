package testbed

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
)

// Name is what --model and --constitution call the testbed.
const Name = "testbed"

// FileName is the embedded model's file name.
const FileName = "testbed.gguf"

//go:embed model
var model embed.FS

// File is the embedded model, a GGUF file; empty in a build that carries none.
func File() []byte {
	file, err := model.ReadFile("model/" + FileName)
	if err != nil {
		return nil // it is not among the embedded files
	}
	return file
}

// SHA256 is the embedded model's checksum, in hex.
func SHA256() string {
	sum := sha256.Sum256(File())
	return hex.EncodeToString(sum[:])
}
