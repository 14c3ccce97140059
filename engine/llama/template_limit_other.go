//go:build !linux

package llama

// limitMemory does nothing here: macOS does not enforce RLIMIT_AS. A template is still stopped by its time limit.
func limitMemory(uint64) error { return nil }
