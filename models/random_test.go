package models

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// fromF16 decodes a finite half by its definition.
func fromF16(h uint16) float64 {
	sign, exponent, mantissa := 1.0, int(h>>10&31), float64(h&0x3ff)
	if h&0x8000 != 0 {
		sign = -1
	}
	if exponent == 0 {
		return sign * math.Ldexp(mantissa, -24)
	}
	return sign * math.Ldexp(1024+mantissa, exponent-25)
}

func TestToF16IsTheNearest(t *testing.T) {
	for h := range uint16(0x7c00) { // every finite value, and the middle between it and the next
		x := fromF16(h)
		if got := toF16(float32(x)); got != h {
			t.Fatalf("%g becomes %#x, want %#x", x, got, h)
		}
		if h == 0x7bff {
			break
		}
		middle := float32((x + fromF16(h+1)) / 2)
		if got := toF16(middle); got != h+h&1 {
			t.Fatalf("the tie %g becomes %#x, want the even one of %#x and %#x", middle, got, h, h+1)
		}
		if got := toF16(math.Nextafter32(middle, 0)); got != h {
			t.Fatalf("just under the tie %g: %#x, want %#x", middle, got, h)
		}
		if got := toF16(-math.Nextafter32(middle, 1e9)); got != h+1|0x8000 {
			t.Fatalf("just over the tie −%g: %#x, want %#x", middle, got, h+1|0x8000)
		}
	}
}

func TestToBF16IsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Float32Range(-1e30, 1e30).Draw(t, "x")
		got := toBF16(x)
		value := func(b uint16) float64 { return float64(math.Float32frombits(uint32(b) << 16)) }
		off := math.Abs(value(got) - float64(x))
		if off > math.Abs(value(got+1)-float64(x)) || (got&0x7fff != 0 && off > math.Abs(value(got-1)-float64(x))) {
			t.Fatalf("%g becomes %g, not the nearest", x, value(got))
		}
	})
}

// dequantize decodes one block as the comments in ggml-common.h define it.
func dequantize(t Type, b []byte) []float64 {
	half := func(at int) float64 { return fromF16(binary.LittleEndian.Uint16(b[at:])) }
	var w []float64
	switch t {
	case F32:
		w = append(w, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	case F16:
		w = append(w, half(0))
	case BF16:
		w = append(w, float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(b))<<16)))
	case Q8_0:
		for i := range 32 {
			w = append(w, half(0)*float64(int8(b[2+i])))
		}
	case Q4_0, Q4_1, Q5_0, Q5_1:
		w = dequantize45(t, b, half)
	case Q4_K, Q5_K:
		for i := range 256 { // 8 sub-blocks of 32; a pair of sub-blocks shares 32 bytes
			scale, least := subScales(b[4:16], i/32)
			low := 16
			q := 0
			if t == Q5_K {
				low = 48
				q = int(b[16+i%32]>>(i/32)&1) << 4
			}
			q |= int(b[low+i/64*32+i%32] >> (i / 32 % 2 * 4) & 15)
			w = append(w, half(0)*float64(scale)*float64(q)-half(2)*float64(least))
		}
	case Q6_K:
		for i := range 256 { // two halves; in each, four groups of 32 share 64 low bytes and 32 high bytes
			n, j, l := i/128, i%128/32, i%32
			q := int(b[n*64+j%2*32+l]>>(j/2*4)&15) | int(b[128+n*32+l]>>(2*j)&3)<<4
			w = append(w, half(208)*float64(int8(b[192+i/16]))*float64(q-32))
		}
	default:
		panic(fmt.Sprintf("no weights are made in %v", t))
	}
	return w
}

// dequantize45 decodes the 32-element blocks of 4 and 5 bits.
func dequantize45(t Type, b []byte, half func(int) float64) []float64 {
	least, at, centre := 0.0, 2, 8
	if t == Q4_1 || t == Q5_1 {
		least, at, centre = half(2), 4, 0
	}
	var high uint32
	if t == Q5_0 || t == Q5_1 {
		high = binary.LittleEndian.Uint32(b[at:])
		at, centre = at+4, 2*centre
	}
	var w []float64
	for i := range 32 {
		q := int(b[at+i%16]>>(i/16*4)&15) | int(high>>i&1)<<4
		w = append(w, half(0)*float64(q-centre)+least)
	}
	return w
}

// subScales unpacks the 6-bit scale and minimum of sub-block j from 12 bytes.
func subScales(b []byte, j int) (scale, least byte) {
	if j < 4 {
		return b[j] & 63, b[j+4] & 63
	}
	return b[j+4]&15 | b[j-4]>>6<<4, b[j+4]>>4 | b[j]>>6<<4
}

func TestWeightsHaveTheRightSpread(t *testing.T) {
	for _, kind := range []Type{F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K} {
		tr, _ := kind.traits()
		data := make([]byte, (1<<18)/tr.block*tr.bytes)
		const fanIn = 576
		normal(fanIn)(data, kind, streamFor(1, "x", 0))
		var n, sum, squares, fourth float64
		for b := data; len(b) > 0; b = b[tr.bytes:] {
			for _, w := range dequantize(kind, b[:tr.bytes]) {
				n, sum, squares, fourth = n+1, sum+w, squares+w*w, fourth+w*w*w*w
			}
		}
		mean, std, want := sum/n, math.Sqrt(squares/n), 1/math.Sqrt(fanIn)
		// 2^18 weights: the mean of 0 is good to std/512 (blocks share a sign: 16 times that), std to 0.3 %.
		if n != 1<<18 || math.Abs(mean) > want/30 || math.Abs(std/want-1) > 0.01 {
			t.Errorf("%v: %g weights, mean %g, deviation %g, want 0 and %g", kind, n, mean, std, want)
		}
		if tr.block == 1 && math.Abs(fourth/n/(std*std*std*std)-2.7) > 0.1 { // of four uniform numbers; 3 is normal, 1.8 uniform
			t.Errorf("%v: kurtosis %g", kind, fourth/n/(std*std*std*std))
		}
	}
}
