package models

import (
	"fmt"
	"math"
)

// KV is one metadata entry. Value is a uint8, int8, uint16, int16, uint32, int32, uint64, int64, float32,
// float64, bool or string, or a slice of one of these.
type KV struct {
	Key   string
	Value any
}

// Tensor describes one tensor; its data stays in the file.
type Tensor struct {
	Name   string
	Dims   []uint64 // elements along each axis, rows first as in ggml: Dims[0] is the row length
	Type   Type
	Offset uint64 // of the data, in bytes from File.DataOffset
	Size   uint64 // of the data, in bytes, without padding
}

// Elements is the number of weights in the tensor.
func (t Tensor) Elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

// File is the checked header of one GGUF file. It is not changed after Read.
type File struct {
	Path       string // as it was opened; empty when read from memory
	Version    uint32 // 2 or 3
	KVs        []KV   // in file order
	Tensors    []Tensor
	Alignment  uint64 // of tensor data, in bytes
	DataOffset uint64 // where tensor data starts, in bytes from the start of the file
	Size       uint64 // of the whole file, in bytes

	index map[string]int // key → place in KVs
}

// Value is the metadata value of key, nil when there is none.
func (f *File) Value(key string) any {
	if i, ok := f.index[key]; ok {
		return f.KVs[i].Value
	}
	return nil
}

// String is the string under key; ok is false when the key is absent or holds another type.
func (f *File) String(key string) (s string, ok bool) {
	s, ok = f.Value(key).(string)
	return s, ok
}

// uint is the non-negative integer under key, whatever its width; ok is false when the key is absent, holds
// another type, or is negative.
func (f *File) uint(key string) (n uint64, ok bool) {
	return toUint(f.Value(key))
}

// Uints is the integer array under key, or the single integer under key repeated n times: llama.cpp lets
// per-layer figures be written either way. ok is false for anything else, and for an array shorter than n.
func (f *File) Uints(key string, n uint64) (all []uint64, ok bool) {
	if single, ok := f.uint(key); ok {
		if n > math.MaxInt16 { // more layers than any model: the figure is not to be believed
			return nil, false
		}
		all = make([]uint64, n)
		for i := range all {
			all[i] = single
		}
		return all, true
	}
	switch list := f.Value(key).(type) {
	case []int32:
		all, ok = toUints(list)
	case []uint32:
		all, ok = toUints(list)
	case []int64:
		all, ok = toUints(list)
	case []uint64:
		all, ok = toUints(list)
	}
	return all, ok && uint64(len(all)) >= n
}

func toUints[T int32 | uint32 | int64 | uint64](list []T) ([]uint64, bool) {
	all := make([]uint64, len(list))
	for i, v := range list {
		if v < 0 {
			return nil, false
		}
		all[i] = uint64(v)
	}
	return all, true
}

func toUint(value any) (uint64, bool) {
	var signed int64
	switch v := value.(type) {
	case uint8:
		return uint64(v), true
	case uint16:
		return uint64(v), true
	case uint32:
		return uint64(v), true
	case uint64:
		return v, true
	case int8:
		signed = int64(v)
	case int16:
		signed = int64(v)
	case int32:
		signed = int64(v)
	case int64:
		signed = v
	default:
		return 0, false
	}
	return uint64(signed), signed >= 0
}

// padTo rounds n up to a multiple of align, a power of two. ok is false when that overflows.
func padTo(n, align uint64) (padded uint64, ok bool) {
	padded = (n + align - 1) &^ (align - 1)
	return padded, padded >= n
}

// tensorSize is the number of bytes of a tensor of that type and shape. limit explains a failure; it is empty on success.
func tensorSize(t Type, dims []uint64) (size uint64, limit string) {
	tr, ok := t.traits()
	if !ok {
		return 0, "must be a tensor type of llama.cpp v0.5.0"
	}
	elements := uint64(1)
	for i, d := range dims {
		if d == 0 {
			return 0, fmt.Sprintf("dimension %d must be at least 1", i)
		}
		if elements > math.MaxInt64/d {
			return 0, fmt.Sprintf("the product of the dimensions must be at most %d", int64(math.MaxInt64))
		}
		elements *= d
	}
	row := uint64(1)
	if len(dims) > 0 {
		row = dims[0]
	}
	if row%tr.block != 0 {
		return 0, fmt.Sprintf("a row of %s must be a multiple of %d elements", tr.name, tr.block)
	}
	blocks := elements / tr.block
	if blocks > math.MaxInt64/tr.bytes {
		return 0, fmt.Sprintf("the size in bytes must be at most %d", int64(math.MaxInt64))
	}
	return blocks * tr.bytes, ""
}
