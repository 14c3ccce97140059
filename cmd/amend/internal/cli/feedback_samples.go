package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/engine/runstore"
)

// sampleFlags say which answers `amend feedback` draws before it judges them.
type sampleFlags struct {
	prompts string
	number  int
	model   string
	lora    string
}

func (o *sampleFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.prompts, "prompts", "", "draw answers to these prompts first, as amend run does, --samples of each, into the run directory --out; - is standard input")
	f.IntVar(&o.number, "samples", 2, "with --prompts: answers drawn to each prompt")
	f.StringVar(&o.model, "model", defaultModel, "with --prompts: the model that answers; without its adapter it is the judge too, unless --judge is given")
	f.StringVar(&o.lora, "lora", "", "with --prompts: a LoRA adapter on it, PATH or PATH=SCALE")
}

// validate checks what flags alone can tell.
func (o *sampleFlags) validate(given *pflag.FlagSet) error {
	for _, name := range []string{"samples", "model", "lora"} {
		if given.Changed(name) && o.prompts == "" {
			return fmt.Errorf("--%s is of answers that are drawn here: give --prompts too, or --judge for the model that judges", name)
		}
	}
	return cmp.Or(checkScale("--lora", o.lora), within([]limits{{"--samples", o.number, 2, 1000}}))
}

// drawSamples is the run whose answers are judged. A prompt that fails is in no pair; failed reports that there are some.
func drawSamples(cmd *cobra.Command, o feedbackOptions) (failed bool, err error) {
	flags := []string{
		"--prompts=" + o.samples.prompts, fmt.Sprint("--samples=", o.samples.number), "--revisions=0", "--out=" + o.out,
		"--model=" + o.samples.model, "--lora=" + o.samples.lora,
	}
	for _, f := range givenFlags(cmd) { // those that mean the same to both
		name, _, _ := splitFlag(f)
		switch name {
		case "seed", "limit", "constitution", "principles", "threads", "gpu-layers", "deterministic", "ctx", "parallel", "kv", "kv-type", "preamble-cache", "progress", "verbose":
			flags = append(flags, f)
		case "chat", "template":
			if o.model == "" { // of the model that is the judge too
				flags = append(flags, f)
			}
		}
	}
	input, err := readStdin(cmd, o.samples.prompts)
	if err != nil {
		return false, err
	}
	err = superviseRun(cmd, o.verbose, stage{flags: flags, input: input, stdout: io.Discard})
	var exit *exitError
	if errors.As(err, &exit) && exit.code == exitRowsFailed {
		return true, nil
	}
	return false, err
}

// judgeSamples draws answers and judges them.
func judgeSamples(cmd *cobra.Command, o feedbackOptions) error {
	failed, err := drawSamples(cmd, o)
	if err != nil {
		return err
	}
	o.run, o.limit = o.out, 0 // the run has kept to the limit
	if err := runFeedback(cmd, o); err != nil || !failed {
		return err
	}
	return &exitError{exitRowsFailed, fmt.Errorf("answers to some prompts failed, or could not be read: %s lists them", filepath.Join(o.out, runstore.FailedFile))}
}

// one counts what holds.
func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
