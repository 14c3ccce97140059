// Benchpeers measures llama-server beside amend on a workload of `amend bench`:
// it looks for the server's best configurations, then runs the best two and
// amend in turns at full size and prints one table. scripts/bench-peers builds
// what it needs and starts it. Of text it drives the server's chat endpoint.
//
// The sweep is over slots (1, 4, 8, 16), KV layout, flash attention and KV
// types, and on text also looked-up guesses; prompt caching on, everything else
// as the server starts by default. A
// configuration is measured on max(4, slots) rows after its slots were given
// the preamble, and what the whole workload would take is added up from both
// parts; otherwise few rows would favour the configurations in which each row
// pays for a preamble of its own. By default it goes in stages: slots and layout
// first, with f16 and without flash attention, then flash attention and KV
// types for the best two of these. --sweep all measures every combination.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"amend/models"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		stop()
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	workload  string
	model     string // path
	amend     string // the programs' paths
	server    string
	workloads string // workloads.json

	order     string
	seed      uint64
	lengths   lengths
	text      textOptions
	threads   int
	gpuLayers int // -1: each program's default
	sweep     string
	peers     []string
	turns     int
	json      bool
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{lengths: lengths{}}
	f := pflag.NewFlagSet("bench-peers", pflag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: scripts/bench-peers loop|fanout|feedback|text [flag...]\n\n%s", f.FlagUsages())
	}
	f.StringVar(&o.model, "model", "", "the GGUF model, as for amend bench (default: smollm2 requantized to Q4_0)")
	f.StringVar(&o.amend, "amend", "bin/amend", "the amend binary")
	f.StringVar(&o.server, "server", "bin/peers/llama-server", "the llama-server binary")
	f.StringVar(&o.workloads, "workloads", "cmd/amend/internal/workload/workloads.json", "the workloads' file")
	f.StringVar(&o.order, "order", "", "the workload's order, as for amend bench")
	f.Uint64Var(&o.seed, "seed", 1, "the seed of the random token ids, or of text's draws")
	f.IntVar(&o.threads, "threads", runtime.GOMAXPROCS(0), "CPU threads, of amend and of the server")
	f.IntVar(&o.gpuLayers, "gpu-layers", -1, "layers on a GPU, of amend and of the server; -1 leaves it to them")
	f.StringVar(&o.sweep, "sweep", "staged", "staged or all: which of the server's configurations to try")
	f.StringArrayVar(&o.peers, "peer", nil, "a configuration to measure instead of sweeping, as the table names it (may be repeated)")
	f.IntVar(&o.turns, "turns", 3, "runs of each at full size")
	f.BoolVar(&o.json, "json", false, "print the report as one JSON object")
	given := map[string]*int{}
	for _, name := range lengthNames {
		given[name] = f.Int(flagOf(name), 0, "as for amend bench")
	}
	o.text.addFlags(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() != 1 {
		f.Usage()
		return nil, fmt.Errorf("one workload is wanted, not %d", f.NArg())
	}
	o.workload = f.Arg(0)
	for name, value := range given {
		if f.Changed(flagOf(name)) {
			o.lengths[name] = *value
		}
	}
	if err := o.checkWorkload(f); err != nil {
		return nil, err
	}
	if o.turns < 1 || o.threads < 1 {
		return nil, fmt.Errorf("--turns %d and --threads %d must be at least 1", o.turns, o.threads)
	}
	if o.sweep != "staged" && o.sweep != "all" {
		return nil, fmt.Errorf("--sweep %q: must be staged or all", o.sweep)
	}
	if o.model == "" {
		return nil, errors.New("--model is not given")
	}
	var err error
	o.model, err = models.CachesFrom(os.Getenv).Resolve(o.model)
	return o, err
}

// flagOf is a length's flag: its name in workloads.json with dashes.
func flagOf(length string) string { return strings.ReplaceAll(length, "_", "-") }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	var s size
	if o.workload != textWorkload { // whose size amend tells
		if s, err = readSize(o.workloads, o.workload, o.order, o.lengths); err != nil {
			return err
		}
	}
	b := &bencher{
		options: o, size: s,
		say: func(format string, args ...any) {
			fmt.Fprintf(stderr, "bench-peers: %s\n", fmt.Sprintf(format, args...))
		},
	}
	report, err := b.run(ctx)
	if err != nil {
		return err
	}
	if !o.json {
		return report.print(stdout)
	}
	e := json.NewEncoder(stdout)
	e.SetIndent("", "  ")
	return e.Encode(report)
}
