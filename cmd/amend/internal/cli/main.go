package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/worker"
)

// Build identifies a build of amend.
type Build struct {
	Version string // of the release
	Commit  string // that was built; empty where the build does not say
	// LlamaTree is the git tree of llama.cpp's source (third_party/llama.env); empty where the build does not say.
	LlamaTree string
}

// String returns the version, with the commit if it is known.
func (b Build) String() string {
	if b.Commit == "" {
		return b.Version
	}
	return b.Version + "+" + b.Commit
}

// Main executes one command line and returns the process's exit code.
func Main(b Build, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(b)
	root.SetArgs(args)
	root.SetIn(stdin)
	out := &output{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	ctx, stop := worker.WithSignals(context.Background(), func() {
		fmt.Fprintln(stderr, "\namend: interrupted at once: only finished work is saved")
	})
	defer stop()
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.lost()
	}
	if stopped := new(failure.StoppedError); errors.Is(err, context.Canceled) && !errors.As(err, &stopped) {
		err = &failure.StoppedError{Cause: err, Signal: worker.SignalOf(ctx)}
	}
	if err != nil && err.Error() != "" && !errors.Is(err, failure.ErrDiffers) {
		fmt.Fprintln(stderr, "amend: "+message(err))
	}
	return exitCode(err)
}
