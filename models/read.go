package models

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	magic            = "GGUF"
	newestVersion    = 3
	defaultAlignment = 32
	maxDims          = 4         // GGML_MAX_DIMS
	maxNameLength    = 63        // GGML_MAX_NAME less its NUL
	maxKeyLength     = 1<<16 - 1 // docs/gguf.md
	minKVSize        = 14        // key length, a key of one byte, type, the smallest value
	minTensorSize    = 24        // name length, dimension count, type, offset

	// maxMetadata bounds the memory of reading a header. The largest known vocabularies take under 20 MB.
	maxMetadata = 128 << 20
)

// Numbers of the metadata value types (enum gguf_type).
const (
	kvUint8 uint32 = iota
	kvInt8
	kvUint16
	kvInt16
	kvUint32
	kvInt32
	kvFloat32
	kvBool
	kvString
	kvArray
	kvUint64
	kvInt64
	kvFloat64
)

// ReadFile reads and checks the header of one GGUF file: every count, length, type, offset and size against
// the file itself. A file that does not hold what it claims gives a *FormatError. Tensor data is not read.
func ReadFile(path string) (*File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, invalidf("read model: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	defer func() { _ = f.Close() }() // only read
	stat, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	if !stat.Mode().IsRegular() {
		return nil, invalidf("read model: %s is not a regular file", path)
	}
	file, err := Read(f, uint64(stat.Size()))
	var bad *FormatError
	if errors.As(err, &bad) {
		bad.Path = path
		return nil, bad
	}
	if err != nil {
		return nil, fmt.Errorf("read model %s: %w", path, err)
	}
	file.Path = path
	return file, nil
}

// Read reads and checks a GGUF header from r, which starts at the first byte of a file of size bytes.
// Memory stays within a small multiple of what was actually read, at most maxMetadata bytes.
func Read(r io.Reader, size uint64) (*File, error) {
	in := &reader{r: bufio.NewReaderSize(r, 1<<16), size: size, end: min(size, maxMetadata)}
	f := &File{Size: size, Alignment: defaultAlignment, index: map[string]int{}}
	nTensors, nKV, err := in.header(f)
	if err != nil {
		return nil, err
	}
	for i := range nKV {
		if err := in.kv(f, i); err != nil {
			return nil, err
		}
	}
	names := map[string]uint64{}
	infoAt := make([]uint64, 0, min(nTensors, 4096)) // where each tensor's offset field lies, for errors
	for i := range nTensors {
		offsetAt, err := in.tensor(f, i, names)
		if err != nil {
			return nil, err
		}
		infoAt = append(infoAt, offsetAt)
	}
	return f, in.layout(f, infoAt)
}

// reader reads fields in order and knows which one it is at, for errors.
type reader struct {
	r     *bufio.Reader
	off   uint64 // bytes read so far
	size  uint64 // of the whole file
	end   uint64 // where metadata has to end at the latest
	field string // what is being read
}

// bad makes the error for the field at byte offset at.
func (in *reader) bad(at uint64, value any, limit string, args ...any) error {
	return &FormatError{Field: in.field, Offset: at, Value: fmt.Sprint(value), Limit: fmt.Sprintf(limit, args...)}
}

// need checks that n more bytes can follow; at is where the field that says so starts.
func (in *reader) need(at, n uint64) error {
	left := in.end - in.off
	if n <= left {
		return nil
	}
	if in.end < in.size {
		return in.bad(at, fmt.Sprintf("%d bytes long", n), "must be at most %d bytes: metadata may take %d in all", left, uint64(maxMetadata))
	}
	return in.bad(at, fmt.Sprintf("%d bytes long", n), "must be at most %d bytes, what is left of the file's %d", left, in.size)
}

// bytes fills p. It checks that they are there.
func (in *reader) bytes(p []byte) error {
	if err := in.need(in.off, uint64(len(p))); err != nil {
		return err
	}
	n, err := io.ReadFull(in.r, p)
	in.off += uint64(n)
	if err != nil {
		return fmt.Errorf("%s at byte %d: %w", in.field, in.off, err)
	}
	return nil
}

func (in *reader) u32() (uint32, error) {
	var p [4]byte
	err := in.bytes(p[:])
	return binary.LittleEndian.Uint32(p[:]), err
}

func (in *reader) u64() (uint64, error) {
	var p [8]byte
	err := in.bytes(p[:])
	return binary.LittleEndian.Uint64(p[:]), err
}

// str reads a length and that many bytes, at most limit.
func (in *reader) str(limit uint64) (string, error) {
	at := in.off
	n, err := in.u64()
	if err != nil {
		return "", err
	}
	if n > limit && limit < in.end-in.off {
		return "", in.bad(at, fmt.Sprintf("%d bytes long", n), "must be at most %d bytes", limit)
	}
	if err := in.need(at, n); err != nil {
		return "", err
	}
	p := make([]byte, n)
	if err := in.bytes(p); err != nil {
		return "", err
	}
	return string(p), nil
}

// header reads magic, version and the two counts.
func (in *reader) header(f *File) (nTensors, nKV uint64, err error) {
	in.field = "magic"
	var m [4]byte
	if err := in.bytes(m[:]); err != nil {
		return 0, 0, err
	}
	if string(m[:]) != magic {
		return 0, 0, in.bad(0, fmt.Sprintf("%q", m[:]), "must be %q: this is not a GGUF file", magic)
	}
	in.field = "version"
	if f.Version, err = in.u32(); err != nil {
		return 0, 0, err
	}
	switch {
	case f.Version&0xffff == 0 && f.Version != 0:
		return 0, 0, in.bad(4, fmt.Sprintf("%#x", f.Version), "must be 2 or %d: this file is big-endian, only little-endian ones are read", newestVersion)
	case f.Version < 2 || f.Version > newestVersion:
		return 0, 0, in.bad(4, f.Version, "must be 2 or %d", newestVersion)
	}
	if nTensors, err = in.count("tensor_count", minTensorSize); err != nil {
		return 0, 0, err
	}
	nKV, err = in.count("metadata_kv_count", minKVSize)
	return nTensors, nKV, err
}

// count reads a count of things that take at least each bytes and checks that so many can follow.
func (in *reader) count(field string, each uint64) (uint64, error) {
	in.field = field
	at := in.off
	n, err := in.u64()
	if err != nil {
		return 0, err
	}
	if left := in.end - in.off; n > left/each {
		return 0, in.bad(at, n, "must be at most %d: each takes at least %d bytes, and %d are left for metadata", left/each, each, left)
	}
	return n, nil
}

// kv reads metadata entry i.
func (in *reader) kv(f *File, i uint64) error {
	in.field = fmt.Sprintf("metadata[%d] key", i)
	at := in.off
	key, err := in.str(maxKeyLength)
	if err != nil {
		return err
	}
	if key == "" {
		return in.bad(at, "empty", "must have at least one byte")
	}
	if first, dup := f.index[key]; dup {
		return in.bad(at, fmt.Sprintf("%q", key), "must be unique, but metadata[%d] has the same key", first)
	}
	in.field = fmt.Sprintf("metadata[%d] %.80q type", i, key)
	at = in.off
	kind, err := in.u32()
	if err != nil {
		return err
	}
	if kind > kvFloat64 {
		return in.bad(at, kind, "must be a value type from 0 to %d", kvFloat64)
	}
	in.field = fmt.Sprintf("metadata[%d] %.80q", i, key)
	at = in.off
	value, err := in.value(kind)
	if err != nil {
		return err
	}
	if key == "general.alignment" {
		n, ok := value.(uint32)
		if !ok || n == 0 || n&(n-1) != 0 {
			return in.bad(at, fmt.Sprintf("%T %v", value, value), "must be a uint32 power of two")
		}
		f.Alignment = uint64(n)
	}
	f.index[key] = len(f.KVs)
	f.KVs = append(f.KVs, KV{Key: key, Value: value})
	return nil
}

// tensor reads tensor info i. offsetAt is where its offset field lies.
func (in *reader) tensor(f *File, i uint64, names map[string]uint64) (offsetAt uint64, err error) {
	in.field = fmt.Sprintf("tensor[%d] name", i)
	at := in.off
	var t Tensor
	if t.Name, err = in.str(maxNameLength); err != nil {
		return 0, err
	}
	if first, dup := names[t.Name]; dup {
		return 0, in.bad(at, fmt.Sprintf("%q", t.Name), "must be unique, but tensor[%d] has the same name", first)
	}
	names[t.Name] = i
	in.field = fmt.Sprintf("tensor[%d] %q n_dimensions", i, t.Name)
	at = in.off
	nDims, err := in.u32()
	if err != nil {
		return 0, err
	}
	if nDims > maxDims {
		return 0, in.bad(at, nDims, "must be at most %d", maxDims)
	}
	in.field = fmt.Sprintf("tensor[%d] %q dimensions", i, t.Name)
	dimsAt := in.off
	t.Dims = make([]uint64, nDims)
	for j := range t.Dims {
		if t.Dims[j], err = in.u64(); err != nil {
			return 0, err
		}
	}
	if _, limit := tensorSize(I8, t.Dims); limit != "" {
		return 0, in.bad(dimsAt, t.Dims, "%s", limit)
	}
	in.field = fmt.Sprintf("tensor[%d] %q type", i, t.Name)
	at = in.off
	kind, err := in.u32()
	if err != nil {
		return 0, err
	}
	t.Type = Type(kind)
	var limit string
	if t.Size, limit = tensorSize(t.Type, t.Dims); limit != "" {
		return 0, in.bad(at, fmt.Sprintf("%d (%s) with dimensions %v", kind, t.Type, t.Dims), "%s", limit)
	}
	in.field = fmt.Sprintf("tensor[%d] %q offset", i, t.Name)
	offsetAt = in.off
	t.Offset, err = in.u64()
	f.Tensors = append(f.Tensors, t)
	return offsetAt, err
}

// layout checks every tensor's place: llama.cpp wants them packed in file order, each padded to the alignment.
func (in *reader) layout(f *File, infoAt []uint64) error {
	var ok bool
	in.field = "tensor_data"
	if f.DataOffset, ok = padTo(in.off, f.Alignment); !ok || (len(f.Tensors) > 0 && f.DataOffset > f.Size) {
		return in.bad(in.off, fmt.Sprintf("to start at byte %d", f.DataOffset), "must be at most %d, the size of the file", f.Size)
	}
	room := f.Size - min(f.DataOffset, f.Size)
	next := uint64(0)
	for i, t := range f.Tensors {
		in.field = fmt.Sprintf("tensor[%d] %q offset", i, t.Name)
		switch {
		case t.Offset%f.Alignment != 0:
			return in.bad(infoAt[i], t.Offset, "must be a multiple of the alignment, %d", f.Alignment)
		case t.Offset < next:
			return in.bad(infoAt[i], t.Offset, "must be %d: the tensor overlaps the one before", next)
		case t.Offset > next:
			return in.bad(infoAt[i], t.Offset, "must be %d: tensors follow each other without gaps", next)
		case t.Offset > room || t.Size > room-t.Offset:
			return in.bad(infoAt[i], t.Offset, "the tensor's %d bytes must end within the file's %d bytes, of which %d are tensor data: the file is cut short",
				t.Size, f.Size, room)
		}
		if next, ok = padTo(t.Offset+t.Size, f.Alignment); !ok {
			return in.bad(infoAt[i], t.Offset, "the tensor's %d bytes must not overflow", t.Size)
		}
	}
	return nil
}
