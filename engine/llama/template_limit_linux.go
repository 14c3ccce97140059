package llama

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// limitMemory lets this process map at most n more bytes than it has mapped now: the Go runtime and the libraries
// reserve far more address space than they use.
func limitMemory(n uint64) error {
	statm, err := os.ReadFile("/proc/self/statm") // sizes in pages, the whole address space first
	if err != nil {
		return err
	}
	first, _, _ := bytes.Cut(statm, []byte(" "))
	pages, err := strconv.ParseUint(string(first), 10, 64)
	if err != nil {
		return fmt.Errorf("read /proc/self/statm: %w", err)
	}
	limit := pages*uint64(os.Getpagesize()) + n
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &now); err != nil {
		return err
	}
	limit = min(limit, now.Max)
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: limit, Max: now.Max})
}
