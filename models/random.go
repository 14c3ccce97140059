package models

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
)

// fill writes a chunk of a tensor: whole blocks of type t, drawn from a stream of random bits.
type fill func(dst []byte, t Type, bits *stream)

// stream is the source of one chunk's randomness. ChaCha8's output is specified, so that files are the same
// on every machine and with every release of Go.
type stream = rand.ChaCha8

// streamFor gives the stream of one chunk. It depends on nothing else, so that chunks can be made in any order.
func streamFor(seed uint64, tensor string, chunk uint64) *stream {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	b = binary.LittleEndian.AppendUint64(b, chunk)
	return rand.NewChaCha8(sha256.Sum256(append(b, tensor...)))
}

// ones fills an F32 tensor with 1.
func ones(dst []byte, _ Type, _ *stream) {
	for i := 0; i < len(dst); i += 4 {
		putF32(dst[i:], 1)
	}
}

// normal fills with weights of mean 0 and standard deviation 1/√fanIn, which keeps activations at about 1.
// F32, F16 and BF16 weights are nearly normal. Quantized ones are made directly as blocks: uniform random
// quants under a scale that gives that deviation, so that no time goes into quantizing. Where a type's
// quants are not symmetric around 0, the sign of each block's scale is random, or its minimum makes up for
// it: a common mean, however small, would grow from layer to layer until every token looks alike.
func normal(fanIn uint64) fill {
	std := 1 / math.Sqrt(float64(fanIn))
	return func(dst []byte, t Type, bits *stream) {
		if t == F32 || t == F16 || t == BF16 {
			fillPlain(dst, t, std, bits)
			return
		}
		_, _ = bits.Read(dst) // never fails
		tr, _ := t.traits()
		d := scale(t, std)
		for b := dst; len(b) > 0; b = b[tr.bytes:] {
			setScales(b[:tr.bytes], t, d)
		}
	}
}

// fillPlain draws each weight as the sum of four 16-bit numbers: integers, so that no rounding depends on the CPU.
func fillPlain(dst []byte, t Type, std float64, bits *stream) {
	const sumStd = 37837.227 // √(4·(65536²−1)/12), the deviation of such a sum
	factor := float32(std / sumStd)
	size := 2
	if t == F32 {
		size = 4
	}
	for i := 0; i < len(dst); i += size {
		u := bits.Uint64()
		sum := int32(u&0xffff) + int32(u>>16&0xffff) + int32(u>>32&0xffff) + int32(u>>48) - 2*0xffff
		x := float32(sum) * factor
		switch t {
		case F32:
			putF32(dst[i:], x)
		case F16:
			binary.LittleEndian.PutUint16(dst[i:], toF16(x))
		default:
			binary.LittleEndian.PutUint16(dst[i:], toBF16(x))
		}
	}
}

// Scales of sub-blocks in K types. Their values are free; these keep the f16 super-block scale out of the
// range where f16 loses precision.
const (
	q45kSub = 32
	q6kSub  = 8
)

// scale is the block scale under which uniform quants of type t have deviation std.
func scale(t Type, std float64) float32 {
	levels := map[Type]float64{Q4_0: 16, Q4_1: 16, Q4_K: 16, Q5_0: 32, Q5_1: 32, Q5_K: 32, Q6_K: 64, Q8_0: 256}[t]
	d := std / math.Sqrt((levels*levels-1)/12)
	switch t {
	case Q4_K, Q5_K:
		d /= q45kSub
	case Q6_K:
		d /= q6kSub
	default: // no sub-blocks
	}
	return float32(d)
}

// setScales overwrites the scales of one random block. Layouts are ggml-common.h's.
func setScales(b []byte, t Type, d float32) {
	switch t {
	case Q4_0, Q5_0, Q8_0:
		putF16(b, signed(d, b[1]))
	case Q4_1: // weight = d·q + m
		putF16(b, d)
		putF16(b[2:], -7.5*d)
	case Q5_1:
		putF16(b, d)
		putF16(b[2:], -15.5*d)
	case Q4_K: // weight = d·scale·q − dmin·min
		putF16(b, d)
		putF16(b[2:], 7.5*d)
		sameScales(b[4:16])
	case Q5_K:
		putF16(b, d)
		putF16(b[2:], 15.5*d)
		sameScales(b[4:16])
	case Q6_K: // weight = d·scale·(q − 32), 16 signed scales
		for i := 192; i < 208; i++ {
			if b[i]&1 == 0 {
				b[i] = q6kSub
			} else {
				b[i] = 256 - q6kSub
			}
		}
		putF16(b[208:], d)
	default: // not made of blocks
	}
	if t == Q8_0 {
		for i := 2; i < len(b); i++ {
			if b[i] == 0x80 { // −128, which quantizing never makes and kernels need not expect
				b[i] = 0
			}
		}
	}
}

// sameScales packs the 6-bit scales and minimums of 8 sub-blocks, all q45kSub, as get_scale_min_k4 unpacks them.
func sameScales(b []byte) {
	for i := range 4 {
		b[i] = q45kSub | q45kSub>>4<<6
		b[i+4] = q45kSub | q45kSub>>4<<6
		b[i+8] = q45kSub&0xf | q45kSub&0xf<<4
	}
}

// signed is d with a random bit's sign.
func signed(d float32, random byte) float32 {
	if random&0x80 != 0 {
		return -d
	}
	return d
}

func putF32(b []byte, x float32) { binary.LittleEndian.PutUint32(b, math.Float32bits(x)) }
func putF16(b []byte, x float32) { binary.LittleEndian.PutUint16(b, toF16(x)) }

// toBF16 keeps the upper half of a finite float32, rounded to nearest, ties to even.
func toBF16(x float32) uint16 {
	bits := math.Float32bits(x)
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// toF16 converts a finite float32 to IEEE half precision, to nearest, ties to even; too large becomes infinite.
func toF16(x float32) uint16 {
	bits := math.Float32bits(x)
	sign := uint16(bits >> 16 & 0x8000)
	exponent := int(bits>>23&0xff) - 127 + 15
	mantissa := bits & 0x7fffff
	switch {
	case exponent >= 31:
		return sign | 0x7c00
	case exponent < -10:
		return sign
	case exponent <= 0: // subnormal: the leading 1 becomes part of the mantissa
		mantissa |= 1 << 23
		shift := uint(14 - exponent)
		half := uint32(1)<<(shift-1) - 1 + mantissa>>shift&1
		return sign | uint16((mantissa+half)>>shift)
	}
	// A mantissa that rounds up to 2 carries into the exponent, as it should.
	return sign + uint16((uint32(exponent)<<23+mantissa+0xfff+mantissa>>13&1)>>13)
}
