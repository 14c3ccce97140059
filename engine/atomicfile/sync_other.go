//go:build !unix

package atomicfile

// SyncDir does nothing: not all of these systems can sync a folder.
func SyncDir(string) error { return nil }
