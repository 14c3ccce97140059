//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package runstore

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive lock on an open file, or returns errHeld at once.
func tryLock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}
