package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"amend/engine/plainjson"
)

// errHeld is what tryLock returns when another open file has the lock.
var errHeld = errors.New("held")

// LockedError refuses a run that another process has open.
type LockedError struct {
	Dir  string
	PID  int    // 0 where the holder has not written it yet
	Host string // likewise empty
}

// Error names the holder and says what to do.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("%s is in use by another process: wait for it, or give another folder", e.Dir)
	}
	return fmt.Sprintf("%s is in use by process %d on %s: wait for it or stop it, or give another folder", e.Dir, e.PID, e.Host)
}

// Holder is the process that has a run open, as the lock file says.
type Holder struct {
	PID  int    `json:"pid"`
	Host string `json:"host"`
}

// Held returns who has a run open for writing; nil where nobody has, or there is no run.
func Held(dir string) (*Holder, error) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at the lock of a run: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	h := signature(f)
	if h.PID == 0 { // nobody, or one that is just taking it: trying the lock could get in its way
		return nil, nil
	}
	if err := tryLockShared(f); err == nil {
		return nil, nil // its holder died
	} else if !errors.Is(err, errHeld) {
		return nil, fmt.Errorf("look at %s: %w", f.Name(), err)
	}
	return &h, nil
}

// signature reads who signed a lock file; the zero value where nobody has.
func signature(f *os.File) (h Holder) {
	if text, err := io.ReadAll(f); err != nil || json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}

// acquire takes the run's lock and writes who has it. The kernel drops the lock when the process dies, so a
// lock file that is left behind locks nothing.
//
// Locks hold between processes of one machine. On network file systems they may not hold between machines,
// and on systems without flock (Windows among them) there are none: two processes on one run directory are
// then the user's to avoid.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock run: %w", err)
	}
	if err := tryLock(f); err != nil {
		defer func() { _ = f.Close() }() // nothing was written
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		h := signature(f)
		return nil, &LockedError{Dir: dir, PID: h.PID, Host: h.Host}
	}
	if err := sign(f); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

func sign(f *os.File) error {
	host, err := os.Hostname()
	if err != nil {
		host = "this host" // only told to people
	}
	text, err := plainjson.Marshal(Holder{os.Getpid(), host})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}

// release empties the lock file, and closing it drops the lock. The file is not removed: another process may
// have it open already, and would then lock a file that a third one does not see.
func release(f *os.File) error {
	return errors.Join(f.Truncate(0), f.Close())
}
