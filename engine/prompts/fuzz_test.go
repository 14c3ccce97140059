package prompts

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// FuzzRead: whatever the bytes, every row is valid, bad rows have their place
// and a reason, each line is at most one of both, and compressing the input
// changes nothing but its hash.
func FuzzRead(f *testing.F) {
	inputs, err := filepath.Glob("testdata/*.in")
	if err != nil {
		f.Fatal(err)
	}
	for _, in := range inputs {
		b, err := os.ReadFile(in)
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(b) { // small seeds: the fuzzer shrinks large ones for minutes
			f.Add(line, false, uint8(0))
			f.Add(append([]byte("{\"prompt\":\"a\"}\n"), line...), true, uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, fromResponses bool, limit uint8) {
		o := Options{FromResponses: fromResponses, Limit: int(limit)}
		const longest = 4096
		set, err := read("f", bytes.NewReader(data), o, longest)
		if err != nil {
			return
		}
		check(t, set)
		if limit > 0 && len(set.Rows) > int(limit) {
			t.Errorf("%d rows, limit %d", len(set.Rows), limit)
		}
		if bytes.HasPrefix(data, []byte("\x1f\x8b")) {
			return
		}
		if n := len(set.Rows) + len(set.Bad); n > bytes.Count(data, []byte("\n"))+1 {
			t.Errorf("%d rows of fewer lines", n)
		}
		packed, err := read("f", bytes.NewReader(compress(t, data)), o, longest)
		if err != nil || show(packed) != show(set) {
			t.Errorf("compressed:\n%v %s\nwant\n%s", err, show(packed), show(set))
		}
	})
}
