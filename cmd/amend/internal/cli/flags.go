package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/engine/sample"
)

// outputFlags say what a command prints.
type outputFlags struct {
	progress string
	verbose  bool
	json     bool
}

func (o *outputFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.progress, "progress", render.ProgressAuto, "progress on standard error: auto, plain or none")
	f.BoolVar(&o.verbose, "verbose", false, "show llama.cpp's own log")
}

func (o outputFlags) validate() error {
	return failure.OneOf("progress", o.progress, render.ProgressAuto, render.ProgressPlain, render.ProgressNone)
}

// sourceFlags name files and directories that settings come from.
type sourceFlags struct{ config, like string }

// addFlags adds the flags. what is what a directory of --like holds, and except are the settings that are not taken from it.
func (o *sourceFlags) addFlags(f *pflag.FlagSet, what, except string) {
	f.StringVar(&o.config, "config", "", "YAML file with settings, under the names of these flags; a flag that is given wins")
	f.StringVar(&o.like, "like", "", "take the settings of the "+what+" in this directory, except "+except)
}

// addComputeFlags adds the flags of a ComputeConfig. unit is what a sequence holds: a row, a judgement, an answer.
func addComputeFlags(f *pflag.FlagSet, c *runner.ComputeConfig, unit string) {
	f.StringVar(&c.Chat, "chat", c.Chat, "how conversations are written: template (the model's own) or plain (Human:/Assistant:, for base models)"+orRuns(c.Chat))
	f.StringVar(&c.Template, "template", c.Template, "file with a chat template to use instead of the model's: Jinja, or JSON that holds it, such as tokenizer_config.json")
	f.IntVar(&c.Context, "ctx", c.Context, "maximum tokens of one "+unit+"; 0 takes what the "+unit+"s can need")
	f.IntVar(&c.Threads, "threads", c.Threads, threadsUsage)
	f.IntVar(&c.GPULayers, "gpu-layers", c.GPULayers, "layers to put on the GPU, if there is one; -1: all")
	f.BoolVar(&c.Deterministic, "deterministic", c.Deterministic, "give the same results to the last bit, whatever else runs at the same time: on a CPU, with plain kernels, one KV stream per sequence and no flash attention")
}

const threadsUsage = "CPU threads; 0: GOMAXPROCS, which is one per core, or fewer under a CPU quota"

// orRuns is the note on --chat where its default depends on the run.
func orRuns(chat string) string {
	if chat != "" {
		return ""
	}
	return " (default the run's, else template)"
}

// addContextFlags adds the flags of a ContextConfig. unit is what a sequence holds.
func addContextFlags(f *pflag.FlagSet, c *runner.ContextConfig, unit string) {
	f.IntVar(&c.Parallel, "parallel", c.Parallel, unit+"s alive at once; 0 chooses by memory")
	f.StringVar((*string)(&c.KV), "kv", string(c.KV), "KV cache: streams (one buffer per sequence), unified (shared cells) or auto (streams, unless shared cells let at least twice as many "+unit+"s run in half the free memory)")
	f.StringVar(&c.KVType, "kv-type", c.KVType, "type of the cached keys: f16, q8_0 or auto (q8_0 for quantized weights on a CPU); values stay f16")
	f.StringVar(&c.PreambleCache, "preamble-cache", c.PreambleCache, "folder that keeps the computed preamble for later runs; empty: none")
}

// biasValue reads --logit-bias, which may be given several times.
type biasValue struct{ bias *sample.LogitBias }

// Set implements pflag.Value.
func (v biasValue) Set(text string) error {
	id, bias, err := app.ParseBias(text)
	if err != nil {
		return err
	}
	if *v.bias == nil {
		*v.bias = sample.LogitBias{}
	}
	(*v.bias)[id] = bias
	return nil
}

// String implements pflag.Value.
func (v biasValue) String() string {
	if v.bias == nil {
		return ""
	}
	var parts []string
	for id, bias := range *v.bias {
		parts = append(parts, fmt.Sprintf("%d=%v", id, bias))
	}
	return strings.Join(parts, ",")
}

// Type implements pflag.Value.
func (biasValue) Type() string { return "stringArray" }

// constitutionUsage describes --constitution; its default differs between commands.
const constitutionUsage = "constitution: a `NAME` that amend constitution ls shows, or a path; repeatable, later ones are layers on earlier ones"

// oldNames accepts flags under names that they had in older versions.
func oldNames(names map[string]string) func(*pflag.FlagSet, string) pflag.NormalizedName {
	return func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if now, ok := names[name]; ok {
			name = now
		}
		return pflag.NormalizedName(name)
	}
}

// givenWithout refuses flags that have no effect without another setting.
func givenWithout(flags *pflag.FlagSet, want string, names ...string) error {
	for _, name := range names {
		if flags.Changed(name) {
			return &failure.FieldError{Field: name, Want: want}
		}
	}
	return nil
}
