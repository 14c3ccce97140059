//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package runstore

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive lock on an open file, or returns errHeld at once.
func tryLock(f *os.File) error { return flock(f, syscall.LOCK_EX) }

// tryLockShared takes a lock on an open file that others may share, or returns errHeld at once.
func tryLockShared(f *os.File) error { return flock(f, syscall.LOCK_SH) }

func flock(f *os.File, how int) error {
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}
