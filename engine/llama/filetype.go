package llama

// #include "shim.h"
import "C"

import (
	"fmt"
	"strings"
)

// FileType is how most tensors of a model are quantized (llama_ftype).
type FileType int

// FileTypeGuessed is the type of a file that names none.
const FileTypeGuessed FileType = C.LLAMA_FTYPE_GUESSED

// The file types that need no importance matrix.
const (
	FileTypeF32    FileType = C.LLAMA_FTYPE_ALL_F32
	FileTypeF16    FileType = C.LLAMA_FTYPE_MOSTLY_F16
	FileTypeBF16   FileType = C.LLAMA_FTYPE_MOSTLY_BF16
	FileTypeQ4_0   FileType = C.LLAMA_FTYPE_MOSTLY_Q4_0
	FileTypeQ4_1   FileType = C.LLAMA_FTYPE_MOSTLY_Q4_1
	FileTypeQ5_0   FileType = C.LLAMA_FTYPE_MOSTLY_Q5_0
	FileTypeQ5_1   FileType = C.LLAMA_FTYPE_MOSTLY_Q5_1
	FileTypeQ8_0   FileType = C.LLAMA_FTYPE_MOSTLY_Q8_0
	FileTypeQ2_K   FileType = C.LLAMA_FTYPE_MOSTLY_Q2_K
	FileTypeQ3_K_S FileType = C.LLAMA_FTYPE_MOSTLY_Q3_K_S
	FileTypeQ3_K_M FileType = C.LLAMA_FTYPE_MOSTLY_Q3_K_M
	FileTypeQ3_K_L FileType = C.LLAMA_FTYPE_MOSTLY_Q3_K_L
	FileTypeQ4_K_S FileType = C.LLAMA_FTYPE_MOSTLY_Q4_K_S
	FileTypeQ4_K_M FileType = C.LLAMA_FTYPE_MOSTLY_Q4_K_M
	FileTypeQ5_K_S FileType = C.LLAMA_FTYPE_MOSTLY_Q5_K_S
	FileTypeQ5_K_M FileType = C.LLAMA_FTYPE_MOSTLY_Q5_K_M
	FileTypeQ6_K   FileType = C.LLAMA_FTYPE_MOSTLY_Q6_K
	FileTypeIQ4_NL FileType = C.LLAMA_FTYPE_MOSTLY_IQ4_NL
	FileTypeIQ4_XS FileType = C.LLAMA_FTYPE_MOSTLY_IQ4_XS
	FileTypeIQ3_S  FileType = C.LLAMA_FTYPE_MOSTLY_IQ3_S
	FileTypeIQ3_M  FileType = C.LLAMA_FTYPE_MOSTLY_IQ3_M
	FileTypeTQ1_0  FileType = C.LLAMA_FTYPE_MOSTLY_TQ1_0
	FileTypeTQ2_0  FileType = C.LLAMA_FTYPE_MOSTLY_TQ2_0
	FileTypeMXFP4  FileType = C.LLAMA_FTYPE_MOSTLY_MXFP4_MOE
)

// fileTypes names the types that Quantize makes.
var fileTypes = []struct {
	name string
	t    FileType
}{
	{"F32", FileTypeF32}, {"F16", FileTypeF16}, {"BF16", FileTypeBF16},
	{"Q4_0", FileTypeQ4_0}, {"Q4_1", FileTypeQ4_1}, {"Q5_0", FileTypeQ5_0}, {"Q5_1", FileTypeQ5_1}, {"Q8_0", FileTypeQ8_0},
	{"Q2_K", FileTypeQ2_K}, {"Q3_K_S", FileTypeQ3_K_S}, {"Q3_K_M", FileTypeQ3_K_M}, {"Q3_K_L", FileTypeQ3_K_L},
	{"Q4_K_S", FileTypeQ4_K_S}, {"Q4_K_M", FileTypeQ4_K_M}, {"Q5_K_S", FileTypeQ5_K_S}, {"Q5_K_M", FileTypeQ5_K_M},
	{"Q6_K", FileTypeQ6_K}, {"IQ4_NL", FileTypeIQ4_NL}, {"IQ4_XS", FileTypeIQ4_XS}, {"IQ3_S", FileTypeIQ3_S},
	{"IQ3_M", FileTypeIQ3_M}, {"TQ1_0", FileTypeTQ1_0}, {"TQ2_0", FileTypeTQ2_0}, {"MXFP4_MOE", FileTypeMXFP4},
}

// FileTypeNames is the names that ParseFileType knows.
func FileTypeNames() []string {
	names := make([]string, len(fileTypes))
	for i, f := range fileTypes {
		names[i] = f.name
	}
	return names
}

// ParseFileType finds a file type by its name, such as "Q4_K_M".
func ParseFileType(name string) (FileType, error) {
	for _, f := range fileTypes {
		if strings.EqualFold(f.name, name) {
			return f.t, nil
		}
	}
	return 0, fmt.Errorf("llama: unknown file type %q; there are %s", name, strings.Join(FileTypeNames(), ", "))
}

// String is the type's name; for types that Quantize does not make it is
// llama.cpp's (llama_ftype_name).
func (t FileType) String() string {
	for _, f := range fileTypes {
		if f.t == t {
			return f.name
		}
	}
	return C.GoString(C.llama_ftype_name(C.enum_llama_ftype(t)))
}
