package models

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// scalar is every value type of fixed size but bool.
type scalar interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32 | uint64 | int64 | float32 | float64
}

// value reads one metadata value of that type.
func (in *reader) value(kind uint32) (any, error) {
	switch kind {
	case kvUint8:
		return one[uint8](in)
	case kvInt8:
		return one[int8](in)
	case kvUint16:
		return one[uint16](in)
	case kvInt16:
		return one[int16](in)
	case kvUint32:
		return one[uint32](in)
	case kvInt32:
		return one[int32](in)
	case kvFloat32:
		return one[float32](in)
	case kvUint64:
		return one[uint64](in)
	case kvInt64:
		return one[int64](in)
	case kvFloat64:
		return one[float64](in)
	case kvString:
		return in.str(maxMetadata)
	case kvBool:
		flags, err := in.bools(1)
		if err != nil {
			return nil, err
		}
		return flags[0], nil
	default:
		return in.array()
	}
}

// array reads an element type, a count and the elements.
func (in *reader) array() (any, error) {
	field := in.field
	in.field += " element type"
	at := in.off
	kind, err := in.u32()
	if err != nil {
		return nil, err
	}
	if kind == kvArray || kind > kvFloat64 {
		return nil, in.bad(at, kind, "must be a value type from 0 to %d other than %d: arrays do not nest", kvFloat64, kvArray)
	}
	n, err := in.count(field+" length", elementSize(kind))
	if err != nil {
		return nil, err
	}
	in.field = field
	switch kind {
	case kvUint8:
		return many[uint8](in, n)
	case kvInt8:
		return many[int8](in, n)
	case kvUint16:
		return many[uint16](in, n)
	case kvInt16:
		return many[int16](in, n)
	case kvUint32:
		return many[uint32](in, n)
	case kvInt32:
		return many[int32](in, n)
	case kvFloat32:
		return many[float32](in, n)
	case kvUint64:
		return many[uint64](in, n)
	case kvInt64:
		return many[int64](in, n)
	case kvFloat64:
		return many[float64](in, n)
	case kvBool:
		return in.bools(n)
	default:
		return in.strs(n)
	}
}

// elementSize is the least number of bytes an array element of that type takes.
func elementSize(kind uint32) uint64 {
	switch kind {
	case kvUint8, kvInt8, kvBool:
		return 1
	case kvUint16, kvInt16:
		return 2
	case kvUint32, kvInt32, kvFloat32:
		return 4
	default:
		return 8
	}
}

func one[T scalar](in *reader) (any, error) {
	list, err := many[T](in, 1)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// many reads n scalars. count has checked that they fit.
func many[T scalar](in *reader, n uint64) ([]T, error) {
	list := make([]T, n)
	size := uint64(binary.Size(T(0)))
	var buf [4096]byte
	for done := uint64(0); done < n; {
		step := min(n-done, uint64(len(buf))/size)
		if err := in.bytes(buf[:step*size]); err != nil {
			return nil, err
		}
		if _, err := binary.Decode(buf[:step*size], binary.LittleEndian, list[done:done+step]); err != nil {
			return nil, fmt.Errorf("%s: %w", in.field, err)
		}
		done += step
	}
	return list, nil
}

// bools reads n one-byte flags; the format has only 0 and 1.
func (in *reader) bools(n uint64) ([]bool, error) {
	at := in.off
	raw, err := many[uint8](in, n)
	if err != nil {
		return nil, err
	}
	flags := make([]bool, n)
	for i, b := range raw {
		if b > 1 {
			return nil, in.bad(at+uint64(i), b, "a bool must be 0 or 1")
		}
		flags[i] = b == 1
	}
	return flags, nil
}

// strs reads n strings. The list grows as they come, so that a count alone takes no memory.
func (in *reader) strs(n uint64) ([]string, error) {
	field := in.field
	list := make([]string, 0, min(n, 1<<16))
	for i := range n {
		s, err := in.str(maxMetadata)
		if err != nil {
			var bad *FormatError
			if errors.As(err, &bad) {
				bad.Field = fmt.Sprintf("%s element %d", field, i)
			}
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}
