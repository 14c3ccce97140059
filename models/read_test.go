package models

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// raw builds GGUF bytes field by field, right or wrong.
type raw []byte

// gguf starts a file with a header.
func gguf(version uint32, tensors, kvs uint64) raw {
	return append(append(append(raw(magic), u32(version)...), u64(tensors)...), u64(kvs)...)
}

func (r raw) u32(n uint32) raw { return append(r, u32(n)...) }
func (r raw) u64(n uint64) raw { return append(r, u64(n)...) }
func (r raw) str(s string) raw { return appendString(r, s) }

// kv adds a metadata entry.
func (r raw) kv(key string, value any) raw {
	b, err := appendValue(appendString(r, key), value)
	if err != nil {
		panic(err)
	}
	return b
}

// tensor adds a tensor's description.
func (r raw) tensor(name string, kind, offset uint64, dims ...uint64) raw {
	r = r.str(name).u32(uint32(len(dims)))
	for _, d := range dims {
		r = r.u64(d)
	}
	return r.u32(uint32(kind)).u64(offset)
}

// data pads to the alignment and adds n bytes.
func (r raw) data(n int) raw {
	return append(r, make([]byte, (32-len(r)%32)%32+n)...)
}

// faults are files that must be refused, each with what its error has to name.
func faults() []struct {
	name                string
	file                raw
	field, value, limit string
	offset              uint64
} {
	const most = math.MaxUint64
	two := gguf(3, 2, 0).tensor("a", 0, 0, 8)
	return []struct {
		name                string
		file                raw
		field, value, limit string
		offset              uint64
	}{
		{"empty", raw{}, "magic", "4 bytes", "at most 0 bytes", 0},
		{"bad magic", raw("GGML\x03\x00\x00\x00"), "magic", `"GGML"`, `must be "GGUF"`, 0},
		{"version 0", gguf(0, 0, 0), "version", "0", "2 or 3", 4},
		{"version 1", gguf(1, 0, 0), "version", "1", "2 or 3", 4},
		{"future version", gguf(4, 0, 0), "version", "4", "2 or 3", 4},
		{"big endian", gguf(3<<24, 0, 0), "version", "0x3000000", "big-endian", 4},
		{"header cut short", gguf(3, 0, 0)[:12], "tensor_count", "8 bytes", "at most 4 bytes", 8},
		{"n_tensors", gguf(3, most, 0), "tensor_count", "18446744073709551615", "at most 0", 8},
		{"n_kv", gguf(3, 0, most), "metadata_kv_count", "18446744073709551615", "at most 0", 16},
		{"n_kv beyond file", gguf(3, 0, 3).kv("a", uint8(1)), "metadata_kv_count", "3", "at most 1", 16},
		{"key longer than file", gguf(3, 0, 1).u64(1 << 40).str("padding"), "metadata[0] key", "1099511627776 bytes", "at most 15", 24},
		{"key of 65536", gguf(3, 0, 1).kv(strings.Repeat("k", 1<<16), uint8(1)), "metadata[0] key", "65536 bytes", "at most 65535", 24},
		{"key of 40 bytes cut", gguf(3, 0, 1).u64(40).str("padding"), "metadata[0] key", "40 bytes", "at most 15", 24},
		{"empty key", gguf(3, 0, 1).str("").u32(0).str("padding"), "metadata[0] key", "empty", "at least one byte", 24},
		{"value type", gguf(3, 0, 1).str("a").u32(13).str("padding"), `metadata[0] "a" type`, "13", "from 0 to 12", 33},
		{"string longer than file", gguf(3, 0, 1).str("a").u32(kvString).u64(most), `metadata[0] "a"`, "18446744073709551615 bytes", "at most 0 bytes", 37},
		{"duplicate key", gguf(3, 0, 2).kv("ab", uint8(1)).kv("ab", uint8(2)), "metadata[1] key", `"ab"`, "metadata[0]", 39},
		{"bool of 2", gguf(3, 0, 1).str("a").u32(kvBool).u32(2)[:38], `metadata[0] "a"`, "2", "0 or 1", 37},
		{"array count", gguf(3, 0, 1).str("a").u32(kvArray).u32(kvUint64).u64(1 << 61), `metadata[0] "a" length`, "2305843009213693952", "at most 0", 41},
		{"array of arrays", gguf(3, 0, 1).str("a").u32(kvArray).u32(kvArray).u64(1), `metadata[0] "a" element type`, "9", "do not nest", 37},
		{"array element", gguf(3, 0, 1).str("a").u32(kvArray).u32(kvString).u64(2).str("x").u64(99), `metadata[0] "a" element 1`, "99 bytes", "at most 0", 58},
		{"alignment 0", gguf(3, 0, 1).kv("general.alignment", uint32(0)), "general.alignment", "uint32 0", "power of two", 53},
		{"alignment type", gguf(3, 0, 1).kv("general.alignment", uint64(32)), "general.alignment", "uint64 32", "power of two", 53},
		{"tensor name too long", gguf(3, 1, 0).tensor(strings.Repeat("n", 64), 0, 0, 8).data(64), "tensor[0] name", "64 bytes", "63", 24},
		{"duplicate tensor", two.tensor("a", 0, 32, 8).data(64), "tensor[1] name", `"a"`, "tensor[0]", 57},
		{"dimension count", gguf(3, 1, 0).tensor("a", 0, 0, 1, 1, 1, 1, 1).data(32), `tensor[0] "a" n_dimensions`, "5", "at most 4", 33},
		{"dimension 0", gguf(3, 1, 0).tensor("a", 0, 0, 8, 0).data(32), `tensor[0] "a" dimensions`, "[8 0]", "at least 1", 37},
		{"dimensions overflow", gguf(3, 1, 0).tensor("a", 0, 0, 1<<33, 1<<33).data(32), `tensor[0] "a" dimensions`, "[8589934592 8589934592]", "at most 9223372036854775807", 37},
		{"dimension 2^64-1", gguf(3, 1, 0).tensor("a", 0, 0, most).data(32), `tensor[0] "a" dimensions`, "[18446744073709551615]", "at most", 37},
		{"bytes overflow", gguf(3, 1, 0).tensor("a", 28, 0, 1<<62).data(32), `tensor[0] "a" type`, "28 (F64)", "size in bytes", 45},
		{"tensor type", gguf(3, 1, 0).tensor("a", 43, 0, 8).data(32), `tensor[0] "a" type`, "43", "tensor type", 45},
		{"removed tensor type", gguf(3, 1, 0).tensor("a", 4, 0, 8).data(32), `tensor[0] "a" type`, "4", "tensor type", 45},
		{"row not whole blocks", gguf(3, 1, 0).tensor("a", 2, 0, 33).data(32), `tensor[0] "a" type`, "2 (Q4_0)", "multiple of 32", 45},
		{"offset past the end", gguf(3, 1, 0).tensor("a", 0, 1<<40, 8).data(32), `tensor[0] "a" offset`, "1099511627776", "must be 0", 49},
		{"tensor past the end", gguf(3, 1, 0).tensor("a", 0, 0, 8).data(31), `tensor[0] "a" offset`, "0", "within the file's 95 bytes", 49},
		{"no room for data", gguf(3, 1, 0).tensor("a", 0, 0, 8), "tensor_data", "64", "at most 57", 57},
		{"overlap", two.tensor("b", 0, 0, 8).data(64), `tensor[1] "b" offset`, "0", "overlaps", 82},
		{"gap", two.tensor("b", 0, 64, 8).data(128), `tensor[1] "b" offset`, "64", "must be 32", 82},
		{"misaligned", two.tensor("b", 0, 33, 8).data(128), `tensor[1] "b" offset`, "33", "multiple of the alignment, 32", 82},
	}
}

func TestReadNamesTheFaultyField(t *testing.T) {
	for _, f := range faults() {
		t.Run(f.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(f.file), uint64(len(f.file)))
			var bad *FormatError
			if !errors.As(err, &bad) || !errors.Is(err, ErrInvalid) {
				t.Fatalf("error is %v, not a FormatError that matches ErrInvalid", err)
			}
			if !strings.Contains(bad.Field, f.field) || !strings.Contains(bad.Value, f.value) || !strings.Contains(bad.Limit, f.limit) {
				t.Errorf("error is %v\nwant field %s, value %s, limit %s", err, f.field, f.value, f.limit)
			}
			if bad.Offset != f.offset {
				t.Errorf("error %v is at byte %d, want %d", err, bad.Offset, f.offset)
			}
		})
	}
}

func TestReadFileNamesThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broken.gguf")
	if err := os.WriteFile(path, []byte("GGUF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.HasPrefix(err.Error(), path+": bad GGUF: version at byte 4") {
		t.Errorf("error is %v", err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, ErrInvalid) {
		t.Errorf("an absent file gives %v", err)
	}
	if _, err := ReadFile(t.TempDir()); !errors.Is(err, ErrInvalid) {
		t.Errorf("a directory gives %v", err)
	}
}

func TestReadAcceptsVersion2AndAlignment(t *testing.T) {
	file := gguf(2, 2, 1).kv("general.alignment", uint32(8)).tensor("a", 0, 0, 3).tensor("b", 0, 16, 2)
	for len(file)%8 != 0 {
		file = append(file, 0)
	}
	start := uint64(len(file))
	file = append(file, make([]byte, 24)...)
	f, err := Read(bytes.NewReader(file), uint64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != 2 || f.Alignment != 8 || f.DataOffset != start || f.Tensors[0].Size != 12 || f.Tensors[1].Offset != 16 {
		t.Errorf("read %+v", f)
	}
}

// A vocabulary of a few hundred thousand tokens must not be read with memory for what the file only claims.
func FuzzRead(f *testing.F) {
	for _, fault := range faults() {
		f.Add([]byte(fault.file))
	}
	f.Add([]byte(gguf(3, 1, 4).kv("general.architecture", "llama").kv("llama.block_count", uint32(2)).
		kv("tokenizer.ggml.tokens", []string{"a", "b"}).kv("llama.attention.head_count_kv", []int32{1, 2}).tensor("a", 2, 0, 32, 2).data(36)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var file *File
		var err error
		// A string of no bytes takes 8 in the file and 16 in memory, a slice that grows twice that.
		if allocated, limit := allocatedBy(func() { file, err = Read(bytes.NewReader(data), uint64(len(data))) }), uint64(100*len(data)+4<<20); allocated > limit {
			t.Fatalf("reading %d bytes allocated %d, more than %d", len(data), allocated, limit)
		}
		if err != nil {
			var bad *FormatError
			if !errors.As(err, &bad) || bad.Field == "" || bad.Limit == "" {
				t.Fatalf("error %v names no field", err)
			}
			return
		}
		for _, tensor := range file.Tensors {
			if end := file.DataOffset + tensor.Offset + tensor.Size; end > uint64(len(data)) {
				t.Fatalf("tensor %+v ends at %d of %d", tensor, end, len(data))
			}
		}
		m := &Model{Path: "fuzz", Parts: []*File{file}}
		m.Info()
		rewrite(t, file)
	})
}

// rewrite writes what was read and reads it again.
func rewrite(t *testing.T, file *File) {
	kvs := slices.DeleteFunc(slices.Clone(file.KVs), func(kv KV) bool { return kv.Key == "general.alignment" })
	var out bytes.Buffer
	w, err := NewWriter(&out, kvs, file.Tensors)
	if err != nil {
		t.Fatalf("cannot write what was read: %v", err)
	}
	for _, tensor := range file.Tensors {
		if _, err := w.Write(make([]byte, tensor.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&out, uint64(out.Len()))
	if err != nil {
		t.Fatalf("cannot read what was written: %v", err)
	}
	if len(again.KVs) != len(kvs) || len(again.Tensors) != len(file.Tensors) {
		t.Fatalf("wrote %d keys and %d tensors, read %d and %d", len(kvs), len(file.Tensors), len(again.KVs), len(again.Tensors))
	}
}
