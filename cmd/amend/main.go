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

// commit names what was built. scripts/build-amend sets it.
var commit string

func main() {
	os.Exit(cli.Main(cli.Build{Version: version, Commit: commit}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
