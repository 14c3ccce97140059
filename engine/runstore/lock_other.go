//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package runstore

import "os"

// tryLock locks nothing: these systems have no flock.
func tryLock(*os.File) error { return nil }

// tryLockShared likewise.
func tryLockShared(*os.File) error { return nil }
