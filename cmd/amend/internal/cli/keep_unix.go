//go:build unix

package cli

import (
	"os"
	"syscall"
)

// keepFromChildren closes files in processes that this one starts: the supervisor's pipe would stay open in them.
func keepFromChildren(files ...*os.File) {
	for _, f := range files {
		syscall.CloseOnExec(int(f.Fd()))
	}
}
