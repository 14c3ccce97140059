package llama

import (
	"fmt"
	"path/filepath"
	"runtime"
)

// opened describes a value that holds C memory: what it is and where in the
// caller's code it was opened. It refers to nothing, so that it can outlive the
// value for a leak report.
type opened struct {
	what  string
	place string
}

func (o *opened) String() string { return o.what + " opened at " + o.place }

// newOpened notes the caller of the exported function that calls it.
func newOpened(what string) *opened {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return &opened{what, "an unknown place"}
	}
	return &opened{what, fmt.Sprintf("%s:%d", filepath.Base(file), line)}
}

// reportLeak arranges that the loss of v without Close is logged. Its C memory
// is not freed: a view of it (Context.Logits) may still be in use.
func reportLeak[T any](v *T, o *opened) runtime.Cleanup {
	return runtime.AddCleanup(v, func(o *opened) {
		process.sink.leak(o)
	}, o)
}
