// Command amend is a local Constitutional AI engine: it answers prompts,
// criticises and revises its answers under the principles of a constitution,
// and writes training sets, with a GGUF model on this machine and no network.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
)

// version is set by the build.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the process's exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	ctx, stop := withSignals(context.Background())
	defer stop()
	err := stoppedBy(root.ExecuteContext(ctx), signalIn(ctx))
	if err != nil && err.Error() != "" {
		fmt.Fprintln(stderr, "amend: "+err.Error())
	}
	return exitCode(err)
}
