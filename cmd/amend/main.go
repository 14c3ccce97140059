// Command amend is a local Constitutional AI engine: it answers prompts,
// criticises and revises its answers under the principles of a constitution,
// and writes training sets, with a GGUF model on this machine and no network.
package main

import (
	"os"

	"amend/cmd/amend/internal/cli"
)

// version is the number of this release (CHANGELOG.md).
const version = "0.2.0"

// scripts/build-amend sets these.
var (
	commit    string // that was built
	llamaTree string // git tree of llama.cpp's source
)

func main() {
	build := cli.Build{Version: version, Commit: commit, LlamaTree: llamaTree}
	os.Exit(cli.Main(build, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
