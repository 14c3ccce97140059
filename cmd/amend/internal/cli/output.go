package cli

import (
	"cmp"
	"io"
	"os"
)

// output is standard output. It keeps the first error of a write, so that no command ends with exit code 0 when its text is
// lost.
type output struct {
	w   io.Writer
	err error
}

// Write writes to standard output.
func (o *output) Write(text []byte) (int, error) {
	n, err := o.w.Write(text)
	o.err = cmp.Or(o.err, err)
	return n, err
}

// Fd is the file descriptor, by which package render sees whether this is a terminal. Where there is none it is one that is
// not open.
func (o *output) Fd() uintptr {
	if f, ok := o.w.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
