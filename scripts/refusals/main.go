// Refusals trains the detector of engine/refusal and measures it.
//
//	scripts/go run ./scripts/refusals train      writes engine/refusal/weights.txt
//	scripts/go run ./scripts/refusals measure    prints the tables of docs/evaluation.md
//	scripts/go run ./scripts/refusals errors     prints what it gets wrong on prompts that it was not trained on
//
// The data sets are in -data; the project does not carry them. Test prompts are not looked at by train.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	data := flag.String("data", "../shared/data", "folder of the data sets")
	examples := flag.String("examples", "scripts/refusals/examples.txt", "answers that were written for this project")
	weights := flag.String("weights", "engine/refusal/weights.txt", "the detector")
	flag.Parse()
	if err := run(os.Stdout, flag.Arg(0), *data, *examples, *weights); err != nil {
		fmt.Fprintln(os.Stderr, "refusals:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, command, data, examples, weights string) error {
	set, err := readSet(data, examples)
	if err != nil {
		return err
	}
	switch command {
	case "train":
		d, err := train(set.only(func(a answer) bool { return !a.test() }), set.made)
		if err != nil {
			return err
		}
		return os.WriteFile(weights, []byte(d.Format()), 0o644)
	case "measure":
		return printTables(out, set)
	case "errors":
		return printErrors(out, set)
	}
	return fmt.Errorf("%q is no command: give train, measure or errors", command)
}
