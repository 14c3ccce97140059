package llama

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// QuantizeParams says how to quantize a model.
type QuantizeParams struct {
	// FileType is what most tensors become.
	FileType FileType
	// Threads is the number of threads; 0 is one for each CPU that the process may use.
	Threads int
	// AllowRequantize takes a model that is quantized already, which loses more
	// than quantizing the original.
	AllowRequantize bool
	// KeepOutput leaves the output tensor as it is.
	KeepOutput bool
	// Pure gives every tensor the same type, where the file type mixes several.
	Pure bool
}

// Quantize writes the model file in as out, quantized (llama_model_quantize). A
// file of that name is replaced; after an error it is gone. out is written where
// it stands and not brought to the disk: to have it whole or not at all, call
// Quantize within atomicfile.Replace. It cannot be interrupted.
func Quantize(in, out string, p QuantizeParams) error {
	if err := Init(); err != nil {
		return err
	}
	if err := p.check(in, out); err != nil {
		return fmt.Errorf("llama: quantize: %w", err)
	}
	cin, cout := C.CString(in), C.CString(out)
	defer C.free(unsafe.Pointer(cin))
	defer C.free(unsafe.Pointer(cout))
	params := C.llama_model_quantize_default_params()
	params.ftype = C.enum_llama_ftype(p.FileType)
	params.nthread = threads(p.Threads)
	params.allow_requantize = C.bool(p.AllowRequantize)
	params.quantize_output_tensor = C.bool(!p.KeepOutput)
	params.pure = C.bool(p.Pure)

	mark := process.sink.mark()
	if code := C.amend_quantize(cin, cout, &params); code != 0 {
		err := errors.New(withLines(fmt.Sprintf("llama: quantize %q to %v", in, p.FileType), process.sink.errorsSince(mark)))
		return errors.Join(err, removeIfThere(out))
	}
	return nil
}

func (p QuantizeParams) check(in, out string) error {
	if err := readable(in); err != nil {
		return err
	}
	if p.Threads < 0 || p.Threads > maxThreads {
		return fmt.Errorf("number of threads is %d, and must be from 0 to %d", p.Threads, maxThreads)
	}
	if out == "" || strings.IndexByte(out, 0) >= 0 {
		return fmt.Errorf("%q is not a file name to write", out)
	}
	known := false
	for _, f := range fileTypes {
		known = known || f.t == p.FileType
	}
	if !known {
		return fmt.Errorf("file type %v cannot be made here; there are %s", p.FileType, strings.Join(FileTypeNames(), ", "))
	}
	from, err := os.Stat(in)
	if err != nil {
		return err
	}
	if to, err := os.Stat(out); err == nil && os.SameFile(from, to) {
		return fmt.Errorf("%q would be written over itself; choose another file", in)
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
