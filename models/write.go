package models

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Writer writes a GGUF file from front to back: NewWriter writes the header, Write takes the tensors' data one
// after another, Close checks that all of it came. It holds one tensor list and one small buffer, whatever the
// size of the file. It is not safe for concurrent use.
type Writer struct {
	w       *bufio.Writer
	tensors []Tensor
	current int    // tensor being written
	done    uint64 // bytes of it written
}

// NewWriter writes the header and metadata. Tensors need Name, Dims and Type; Offset and Size are computed.
// Alignment is the format's default, so kvs must not hold general.alignment.
func NewWriter(w io.Writer, kvs []KV, tensors []Tensor) (*Writer, error) {
	out := &Writer{w: bufio.NewWriterSize(w, 1<<16), tensors: make([]Tensor, len(tensors))}
	copy(out.tensors, tensors)
	head := append([]byte(magic), u32(newestVersion)...)
	head = append(append(head, u64(uint64(len(tensors)))...), u64(uint64(len(kvs)))...)
	size := uint64(len(head))
	out.put(head)
	seen := map[string]bool{}
	for _, kv := range kvs {
		if kv.Key == "" || len(kv.Key) > maxKeyLength || seen[kv.Key] || kv.Key == "general.alignment" {
			return nil, fmt.Errorf("write GGUF: key %q is empty, too long, set twice or not ours to set", kv.Key)
		}
		seen[kv.Key] = true
		b, err := appendValue(appendString(nil, kv.Key), kv.Value)
		if err != nil {
			return nil, fmt.Errorf("write GGUF: key %q: %w", kv.Key, err)
		}
		size += uint64(len(b))
		out.put(b)
	}
	infos, err := out.place()
	if err != nil {
		return nil, err
	}
	out.put(infos)
	out.pad(size + uint64(len(infos)))
	return out, out.w.Flush()
}

// place computes sizes and offsets and encodes the tensor list.
func (out *Writer) place() ([]byte, error) {
	var infos []byte
	var offset uint64
	names := map[string]bool{}
	for i := range out.tensors {
		t := &out.tensors[i]
		if len(t.Name) > maxNameLength || len(t.Dims) > maxDims || names[t.Name] {
			return nil, fmt.Errorf("write GGUF: tensor %q: name too long or used twice, or too many dimensions", t.Name)
		}
		names[t.Name] = true
		var limit string
		if t.Size, limit = tensorSize(t.Type, t.Dims); limit != "" {
			return nil, fmt.Errorf("write GGUF: tensor %q: %s", t.Name, limit)
		}
		t.Offset = offset
		offset, _ = padTo(offset+t.Size, defaultAlignment)
		infos = append(appendString(infos, t.Name), u32(uint32(len(t.Dims)))...)
		for _, d := range t.Dims {
			infos = append(infos, u64(d)...)
		}
		infos = append(append(infos, u32(uint32(t.Type))...), u64(t.Offset)...)
	}
	return infos, nil
}

// put writes to the buffer, which keeps its first error and gives it to Flush.
func (out *Writer) put(p []byte) { _, _ = out.w.Write(p) }

// pad writes the zeros that follow a place n bytes into the file or its data.
func (out *Writer) pad(n uint64) {
	padded, _ := padTo(n, defaultAlignment)
	out.put(make([]byte, padded-n))
}

// Write takes the next bytes of tensor data; a call may end or start anywhere in a tensor, and span several.
// More bytes than the tensors have is an error.
func (out *Writer) Write(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if out.current == len(out.tensors) {
			return n, fmt.Errorf("write GGUF: %d bytes more than the tensors have", len(p)-n)
		}
		size := out.tensors[out.current].Size
		step := int(min(size-out.done, uint64(len(p)-n)))
		if _, err := out.w.Write(p[n : n+step]); err != nil {
			return n, err
		}
		n += step
		out.done += uint64(step)
		if out.done == size {
			out.pad(size)
			out.current, out.done = out.current+1, 0
		}
	}
	return n, nil
}

// Close flushes. It fails when tensor data is missing.
func (out *Writer) Close() error {
	if out.current < len(out.tensors) {
		t := out.tensors[out.current]
		return fmt.Errorf("write GGUF: tensor %q has %d of %d bytes", t.Name, out.done, t.Size)
	}
	return out.w.Flush()
}

func u32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
func u64(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

func appendString(b []byte, s string) []byte {
	return append(append(b, u64(uint64(len(s)))...), s...)
}

// appendValue encodes a value type and the value.
func appendValue(b []byte, value any) ([]byte, error) {
	kind, list, err := kindOf(value)
	if err != nil {
		return nil, err
	}
	if list >= 0 {
		b = append(append(append(b, u32(kvArray)...), u32(kind)...), u64(uint64(list))...)
	} else {
		b = append(b, u32(kind)...)
	}
	switch v := value.(type) {
	case string:
		return appendString(b, v), nil
	case []string:
		for _, s := range v {
			b = appendString(b, s)
		}
		return b, nil
	default:
		return binary.Append(b, binary.LittleEndian, v)
	}
}

// kindOf gives the element type of a value, and its length, −1 for a single value.
func kindOf(value any) (kind uint32, list int, err error) {
	switch v := value.(type) {
	case uint8:
		return kvUint8, -1, nil
	case int8:
		return kvInt8, -1, nil
	case uint16:
		return kvUint16, -1, nil
	case int16:
		return kvInt16, -1, nil
	case uint32:
		return kvUint32, -1, nil
	case int32:
		return kvInt32, -1, nil
	case float32:
		return kvFloat32, -1, nil
	case bool:
		return kvBool, -1, nil
	case string:
		return kvString, -1, nil
	case uint64:
		return kvUint64, -1, nil
	case int64:
		return kvInt64, -1, nil
	case float64:
		return kvFloat64, -1, nil
	case []uint8:
		return kvUint8, len(v), nil
	case []int8:
		return kvInt8, len(v), nil
	case []uint16:
		return kvUint16, len(v), nil
	case []int16:
		return kvInt16, len(v), nil
	case []uint32:
		return kvUint32, len(v), nil
	case []int32:
		return kvInt32, len(v), nil
	case []float32:
		return kvFloat32, len(v), nil
	case []bool:
		return kvBool, len(v), nil
	case []string:
		return kvString, len(v), nil
	case []uint64:
		return kvUint64, len(v), nil
	case []int64:
		return kvInt64, len(v), nil
	case []float64:
		return kvFloat64, len(v), nil
	}
	return 0, 0, fmt.Errorf("a %T cannot be a metadata value", value)
}
