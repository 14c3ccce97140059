// Checks measures the checks of engine/check: how often they are wrong about people's answers, and how often right about turns of models.
//
//	scripts/go run ./scripts/checks alarms                        counts flags of answers that have none of the faults, or few
//	scripts/go run ./scripts/checks sheet OUT RUN…                draws turns of runs for readers to label, into OUT.jsonl; OUT.md and OUT-key.jsonl
//	                                                              are the instruction and the key
//	scripts/go run ./scripts/checks score KEY LABELS [LABELS]     compares labels with flags, and two readers with each other
//
// The data sets that alarms reads are in -data; the project does not carry them. docs/checks.md has what came of it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	data := flag.String("data", "../shared/data", "folder of the data sets")
	show := flag.String("show", "", "of alarms: print the answers that have this flag")
	seed := flag.Uint64("seed", 26, "of sheet: seed of the draw")
	n := flag.Int("n", 200, "of sheet: turns")
	flag.Parse()
	var err error
	switch args := flag.Args(); {
	case len(args) == 1 && args[0] == "alarms":
		err = printAlarms(os.Stdout, *data, *show)
	case len(args) >= 3 && args[0] == "sheet":
		err = writeSheet(args[1], args[2:], *seed, *n)
	case len(args) >= 3 && args[0] == "score":
		err = printScore(os.Stdout, args[1], args[2:])
	default:
		err = fmt.Errorf("give alarms, sheet OUT RUN… or score KEY LABELS [LABELS]")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "checks:", err)
		os.Exit(1)
	}
}

// table prints a row of a Markdown table.
func table(out io.Writer, cells ...any) {
	for _, c := range cells {
		fmt.Fprintf(out, "| %v ", c)
	}
	fmt.Fprintln(out, "|")
}
