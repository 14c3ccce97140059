//go:build unix

package worker

import (
	"os"
	"syscall"
)

// keepFromChildren closes files in processes that this one starts: a pipe to the parent would stay open in them.
func keepFromChildren(files ...*os.File) {
	for _, f := range files {
		syscall.CloseOnExec(int(f.Fd()))
	}
}
