package models

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// anyValue draws a metadata value of any type. NaN is left out: it equals nothing.
func anyValue(t *rapid.T) any {
	number := rapid.Float64Range(-math.MaxFloat32, math.MaxFloat32)
	return rapid.OneOf(
		rapid.Uint8().AsAny(), rapid.Int8().AsAny(), rapid.Uint16().AsAny(), rapid.Int16().AsAny(),
		rapid.Uint32().AsAny(), rapid.Int32().AsAny(), rapid.Uint64().AsAny(), rapid.Int64().AsAny(),
		number.AsAny(), rapid.Float32Range(-1e30, 1e30).AsAny(), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.SliceOfN(rapid.Uint8(), 1, 9000).AsAny(), rapid.SliceOf(rapid.Int8()).AsAny(),
		rapid.SliceOf(rapid.Uint16()).AsAny(), rapid.SliceOf(rapid.Int16()).AsAny(),
		rapid.SliceOf(rapid.Uint32()).AsAny(), rapid.SliceOf(rapid.Int32()).AsAny(),
		rapid.SliceOf(rapid.Uint64()).AsAny(), rapid.SliceOf(rapid.Int64()).AsAny(),
		rapid.SliceOf(number).AsAny(), rapid.SliceOf(rapid.Float32Range(-1e30, 1e30)).AsAny(),
		rapid.SliceOf(rapid.Bool()).AsAny(), rapid.SliceOf(rapid.String()).AsAny(),
	).Draw(t, "value")
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var kvs []KV
		for i := range rapid.IntRange(0, 8).Draw(t, "keys") {
			kvs = append(kvs, KV{fmt.Sprintf("key.%d", i), anyValue(t)})
		}
		var tensors []Tensor
		for i := range rapid.IntRange(0, 4).Draw(t, "tensors") {
			kind := rapid.SampledFrom([]Type{F32, F16, Q4_0, Q8_0, Q6_K}).Draw(t, "type")
			tr, _ := kind.traits()
			dims := []uint64{tr.block * rapid.Uint64Range(1, 3).Draw(t, "blocks")}
			for range rapid.IntRange(0, 3).Draw(t, "more dims") {
				dims = append(dims, rapid.Uint64Range(1, 3).Draw(t, "dim"))
			}
			tensors = append(tensors, Tensor{Name: fmt.Sprintf("tensor.%d", i), Dims: dims, Type: kind})
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, kvs, tensors)
		if err != nil {
			t.Fatal(err)
		}
		// Data arrives in pieces that do not respect tensor borders; byte i of the data is i.
		var data []byte
		for _, tensor := range w.tensors {
			for range tensor.Size {
				data = append(data, byte(len(data)))
			}
		}
		for rest := data; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := Read(bytes.NewReader(out.Bytes()), uint64(out.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for i, kv := range kvs {
			got := file.KVs[i]
			same := reflect.DeepEqual(got, kv) || (reflect.ValueOf(kv.Value).Kind() == reflect.Slice && reflect.ValueOf(kv.Value).Len() == 0 &&
				reflect.TypeOf(got.Value) == reflect.TypeOf(kv.Value) && reflect.ValueOf(got.Value).Len() == 0)
			if !same {
				t.Fatalf("wrote %#v, read %#v", kv, got)
			}
		}
		var read []byte
		for i, tensor := range file.Tensors {
			if tensor.Name != tensors[i].Name || !reflect.DeepEqual(tensor.Dims, tensors[i].Dims) || tensor.Type != tensors[i].Type {
				t.Fatalf("wrote %+v, read %+v", tensors[i], tensor)
			}
			start := file.DataOffset + tensor.Offset
			read = append(read, out.Bytes()[start:start+tensor.Size]...)
		}
		if !bytes.Equal(read, data) {
			t.Fatal("tensor data came out different")
		}
	})
}

func TestWriterRefusesWrongAmounts(t *testing.T) {
	tensors := []Tensor{{Name: "a", Dims: []uint64{8}, Type: F32}}
	w, err := NewWriter(&bytes.Buffer{}, nil, tensors)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 31)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("a tensor without its last byte was closed")
	}
	if _, err := w.Write(make([]byte, 2)); err == nil {
		t.Error("a byte too many was written")
	}
	for _, bad := range []Tensor{{Name: "a", Dims: []uint64{0}}, {Name: "a", Dims: []uint64{33}, Type: Q4_0}, {Name: "a", Type: 99}} {
		if _, err := NewWriter(&bytes.Buffer{}, nil, []Tensor{bad}); err == nil {
			t.Errorf("tensor %+v was accepted", bad)
		}
	}
	if _, err := NewWriter(&bytes.Buffer{}, []KV{{"a", struct{}{}}}, nil); err == nil {
		t.Error("a struct was accepted as a value")
	}
}
