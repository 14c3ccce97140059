package models

import (
	"errors"
	"fmt"
)

// ErrInvalid is matched (errors.Is) by every error that the caller can correct by giving another file, name or
// option: a malformed GGUF, an unknown model name, a checksum that differs, an impossible shape. Errors of
// the machine (permissions, a full disk) do not match it.
var ErrInvalid = errors.New("invalid input")

// inputError is an error with its own full text that matches ErrInvalid.
type inputError struct {
	text  string
	cause error // nil, or what was wrapped with %w
}

func (e *inputError) Error() string { return e.text }

func (e *inputError) Is(target error) bool { return target == ErrInvalid }

func (e *inputError) Unwrap() error { return e.cause }

// invalidf formats as fmt.Errorf does and matches ErrInvalid.
func invalidf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &inputError{text: err.Error(), cause: errors.Unwrap(err)}
}

// FormatError says which field of a GGUF file is wrong. It matches ErrInvalid.
type FormatError struct {
	Path   string // the file, empty when the source was not a file
	Field  string // the field, as docs/gguf.md names it, with its place: `tensor[3] "output.weight" offset`
	Offset uint64 // where the field starts, in bytes from the start of the file
	Value  string // what was read there
	Limit  string // what it has to be, with the figures: "must be at most 12, …"
}

// Error gives file, field, offset, value and limit in one line.
func (e *FormatError) Error() string {
	path := e.Path
	if path != "" {
		path += ": "
	}
	return fmt.Sprintf("%sbad GGUF: %s at byte %d is %s: %s", path, e.Field, e.Offset, e.Value, e.Limit)
}

// Is reports that a FormatError is an ErrInvalid.
func (e *FormatError) Is(target error) bool { return target == ErrInvalid }
