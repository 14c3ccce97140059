package runstore

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"amend/engine/revise"
)

// A limit on the size of files stands for a full disk: the kernel takes a part of the write and refuses the
// rest, with EFBIG for ENOSPC.
func TestFullDisk(t *testing.T) {
	if inChild(t) {
		return
	}
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	log := filepath.Join(dir, DatabaseFile+"-wal")
	info, err := os.Stat(log)
	if err != nil {
		t.Fatal(err)
	}
	limitFileSize(t, uint64(info.Size()+100), func() {
		err := r.Append(record(1))
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, DatabaseFile)) || !strings.Contains(err.Error(), "the same command continues") {
			t.Errorf("Append on a full disk: %v, want the path and a remedy", err)
		}
	})
	if r.Done("row-1") || !r.Done("row-0") {
		t.Error("a row is done that is not on disk")
	}
	first := r.Append(record(2))
	if first == nil {
		t.Error("the next Append works")
	}
	for what, err := range map[string]error{"Put": r.Put(key(1), output(1)), "Finish": r.Finish(nil)} {
		if !errors.Is(err, first) {
			t.Errorf("%s: %v, want the first error", what, err)
		}
	}
	closeRun(t, r)

	r, warnings := open(t, dir, manifest())
	if len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
	add(t, r, record(1))
	if got := read(t, dir); !reflect.DeepEqual(got, []revise.Record{record(0), record(1)}) {
		t.Errorf("after the disk had room again: %+v", got)
	}
}

// A file that cannot be written whole leaves the old one as it was.
func TestFullDiskAtFinish(t *testing.T) {
	if inChild(t) {
		return
	}
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir, RevisionsFile)
	add(t, r, record(1))
	limitFileSize(t, uint64(len(before)+10), func() {
		if err := r.Finish(nil); !errors.Is(err, syscall.EFBIG) {
			t.Errorf("Finish on a full disk: %v", err)
		}
	})
	if contents(t, dir, RevisionsFile) != before {
		t.Error("the old revisions are gone")
	}
	if _, err := os.Stat(filepath.Join(dir, RevisionsFile+tmpSuffix)); err == nil {
		t.Error("the part that was written stayed")
	}
	if err := r.Finish(nil); err != nil {
		t.Errorf("Finish after the disk had room again: %v", err)
	}
}

// inChild runs the test in a process of its own, and reports whether it did. A limit is the whole process's: go test's own
// log of files would run into it.
func inChild(t *testing.T) bool {
	t.Helper()
	const child = "AMEND_TEST_CHILD"
	if os.Getenv(child) != "" {
		return false
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}

// limitFileSize runs f while this process may not write beyond so many bytes of a file.
func limitFileSize(t *testing.T, bytes uint64, f func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}
