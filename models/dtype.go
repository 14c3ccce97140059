package models

import (
	"fmt"
	"iter"
	"strings"
)

// Type is the storage type of a tensor: ggml's enum ggml_type.
type Type uint32

// The types that this package names. The table in traits knows every type of llama.cpp v0.5.0.
const (
	F32  Type = 0
	F16  Type = 1
	Q4_0 Type = 2
	Q4_1 Type = 3
	Q5_0 Type = 6
	Q5_1 Type = 7
	Q8_0 Type = 8
	Q4_K Type = 12
	Q5_K Type = 13
	Q6_K Type = 14
	I8   Type = 24
	BF16 Type = 30
)

// typeTraits is what ggml_blck_size and ggml_type_size say of a type.
type typeTraits struct {
	name  string
	block uint64 // elements in a block, 1 for plain types
	bytes uint64 // bytes of a block
}

// traits gives a type's layout. ok is false for numbers never assigned and for types removed from the format.
func (t Type) traits() (tr typeTraits, ok bool) {
	switch t {
	case F32:
		tr = typeTraits{"F32", 1, 4}
	case F16:
		tr = typeTraits{"F16", 1, 2}
	case BF16:
		tr = typeTraits{"BF16", 1, 2}
	case I8:
		tr = typeTraits{"I8", 1, 1}
	case 25:
		tr = typeTraits{"I16", 1, 2}
	case 26:
		tr = typeTraits{"I32", 1, 4}
	case 27:
		tr = typeTraits{"I64", 1, 8}
	case 28:
		tr = typeTraits{"F64", 1, 8}
	case Q4_0:
		tr = typeTraits{"Q4_0", 32, 18}
	case Q4_1:
		tr = typeTraits{"Q4_1", 32, 20}
	case Q5_0:
		tr = typeTraits{"Q5_0", 32, 22}
	case Q5_1:
		tr = typeTraits{"Q5_1", 32, 24}
	case Q8_0:
		tr = typeTraits{"Q8_0", 32, 34}
	case 9:
		tr = typeTraits{"Q8_1", 32, 36}
	case 10:
		tr = typeTraits{"Q2_K", 256, 84}
	case 11:
		tr = typeTraits{"Q3_K", 256, 110}
	case Q4_K:
		tr = typeTraits{"Q4_K", 256, 144}
	case Q5_K:
		tr = typeTraits{"Q5_K", 256, 176}
	case Q6_K:
		tr = typeTraits{"Q6_K", 256, 210}
	case 15:
		tr = typeTraits{"Q8_K", 256, 292}
	default:
		return t.rareTraits()
	}
	return tr, true
}

// rareTraits is the rest of the table: types below 4 bits, non-linear and micro-scaled ones.
func (t Type) rareTraits() (tr typeTraits, ok bool) {
	switch t {
	case 16:
		tr = typeTraits{"IQ2_XXS", 256, 66}
	case 17:
		tr = typeTraits{"IQ2_XS", 256, 74}
	case 18:
		tr = typeTraits{"IQ3_XXS", 256, 98}
	case 19:
		tr = typeTraits{"IQ1_S", 256, 50}
	case 20:
		tr = typeTraits{"IQ4_NL", 32, 18}
	case 21:
		tr = typeTraits{"IQ3_S", 256, 110}
	case 22:
		tr = typeTraits{"IQ2_S", 256, 82}
	case 23:
		tr = typeTraits{"IQ4_XS", 256, 136}
	case 29:
		tr = typeTraits{"IQ1_M", 256, 56}
	case 34:
		tr = typeTraits{"TQ1_0", 256, 54}
	case 35:
		tr = typeTraits{"TQ2_0", 256, 66}
	case 39:
		tr = typeTraits{"MXFP4", 32, 17}
	case 40:
		tr = typeTraits{"NVFP4", 64, 36}
	case 41:
		tr = typeTraits{"Q1_0", 128, 18}
	case 42:
		tr = typeTraits{"Q2_0", 64, 18}
	default:
		return typeTraits{}, false
	}
	return tr, true
}

// String is the name users know: F16, Q4_0, Q4_K.
func (t Type) String() string {
	if tr, ok := t.traits(); ok {
		return tr.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// FileType is general.file_type: the recipe by which a file's tensors got their types (enum llama_ftype).
type FileType uint32

// String is the recipe's usual name.
func (f FileType) String() string {
	for number, name := range fileTypes() {
		if number == f {
			return name
		}
	}
	return fmt.Sprintf("file type %d", uint32(f))
}

// ParseFileType finds a recipe by its name, in any case; Q3_K, Q4_K and Q5_K mean the medium mix. The error
// matches ErrInvalid and lists the names.
func ParseFileType(name string) (FileType, error) {
	want := strings.ToUpper(name)
	if want == "Q3_K" || want == "Q4_K" || want == "Q5_K" {
		want += "_M"
	}
	var names []string
	for number, name := range fileTypes() {
		if name == want {
			return number, nil
		}
		names = append(names, name)
	}
	return 0, invalidf("quantization %q must be one of %s", name, strings.Join(names, ", "))
}

// fileTypes goes through the recipes of llama.h and their names.
func fileTypes() iter.Seq2[FileType, string] {
	const first, second = "F32 F16 Q4_0 Q4_1 - - - Q8_0 Q5_0 Q5_1 Q2_K Q3_K_S Q3_K_M Q3_K_L Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ2_XXS IQ2_XS ",
		"Q2_K_S IQ3_XS IQ3_XXS IQ1_S IQ4_NL IQ3_S IQ3_M IQ2_S IQ2_M IQ4_XS IQ1_M BF16 - - - TQ1_0 TQ2_0 MXFP4_MOE NVFP4 Q1_0 Q2_0"
	return func(yield func(FileType, string) bool) {
		for number, name := range strings.Fields(first + second) {
			if name != "-" && !yield(FileType(number), name) {
				return
			}
		}
	}
}
