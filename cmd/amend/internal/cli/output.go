package cli

import (
	"cmp"
	"fmt"
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

// lost is the error of a command whose text could not be written.
func (o *output) lost() error {
	if o.err == nil {
		return nil
	}
	return fmt.Errorf("printing the result: %w; the files of this command are complete, only the text is lost", o.err)
}

// Fd is the file descriptor, by which package render sees whether this is a terminal. Where there is none it is one that is
// not open.
func (o *output) Fd() uintptr {
	if f, ok := o.w.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
