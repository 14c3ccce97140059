package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/pflag"
)

// textWorkload is amend bench's workload on text. Its flags are others than
// those of the workloads of fixed lengths, and how large it is amend has to tell.
const textWorkload = "text"

// textOptions are the flags that only text has.
type textOptions struct {
	prompts   string
	limit     int
	revisions int
	maxTokens int
}

// textFlags are their names.
func textFlags() []string { return []string{"prompts", "limit", "revisions", "max-tokens"} }

func (t *textOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&t.prompts, "prompts", "examples/prompts.jsonl", "text: the prompts")
	f.IntVar(&t.limit, "limit", 16, "text: only the first N prompts; 0 takes all")
	f.IntVar(&t.revisions, "revisions", 2, "text: rounds of critique and revision")
	f.IntVar(&t.maxTokens, "max-tokens", 128, "text: most tokens of a turn")
}

// checkWorkload refuses flags that the workload does not have.
func (o *options) checkWorkload(f *pflag.FlagSet) error {
	others := textFlags()
	if o.workload == textWorkload {
		others = []string{"order"}
		for _, name := range lengthNames {
			others = append(others, flagOf(name))
		}
	}
	for _, name := range others {
		if f.Changed(name) {
			return fmt.Errorf("--%s is nothing that %s has", name, o.workload)
		}
	}
	return nil
}

// workloadArgs are amend bench's flags for the workload, as the command line
// has it.
func (o *options) workloadArgs() []string {
	if o.workload == textWorkload {
		return []string{
			"--prompts", o.text.prompts, "--limit", strconv.Itoa(o.text.limit),
			"--revisions", strconv.Itoa(o.text.revisions), "--max-tokens", strconv.Itoa(o.text.maxTokens),
		}
	}
	var args []string
	for _, name := range lengthNames {
		if n, ok := o.lengths[name]; ok {
			args = append(args, "--"+flagOf(name), strconv.Itoa(n))
		}
	}
	if o.order != "" {
		args = append(args, "--order", o.order)
	}
	return args
}

// rowsFlag is amend bench's flag for fewer rows.
func (o *options) rowsFlag() string {
	if o.workload == textWorkload {
		return "--limit"
	}
	return "--rows"
}

// oursArgs are amend bench's flags for amend as it is, and nothing besides.
func (o *options) oursArgs() []string {
	args := []string{"--variants", ours}
	if o.workload != textWorkload {
		args = append(args, "--floor=false")
	}
	return args
}

// sizeText has amend run the workload once to learn how large it is. The run
// counts for nothing else.
func (b *bencher) sizeText(ctx context.Context) error {
	r, err := b.bench(ctx, runLimit, b.options.oursArgs()...)
	if err != nil {
		return err
	}
	var l struct{ Rows, Preamble int }
	if err := json.Unmarshal(r.Lengths, &l); err != nil {
		return fmt.Errorf("reading how large the workload is: %w", err)
	}
	if r.Need < 1 || l.Rows < 1 {
		return errors.New("amend bench text does not say how many rows there are and what they need")
	}
	b.size = size{rows: l.Rows, preamble: l.Preamble, longest: r.Need}
	b.say("%d rows of up to %d tokens, a preamble of %d (amend took %.1f s)", l.Rows, r.Need, l.Preamble, r.Variants[0].WallS)
	return nil
}

// warmText gives each slot the preamble by rows of single tokens, and returns
// the seconds it took.
func (b *bencher) warmText(s *server) (float64, error) {
	args := append(b.peerArgs(s, "warm-up"), b.options.rowsFlag(), strconv.Itoa(s.slots), "--revisions", "1", "--max-tokens", "1")
	r, err := b.bench(s.ctx, runLimit, args...)
	if err != nil {
		return 0, fmt.Errorf("giving its slots the preamble: %w", err)
	}
	return r.Variants[0].WallS, nil
}

// TextCounts are what variants of the text workload report besides; see
// amend bench text.
type TextCounts struct {
	Turns          int     `json:"turns"`
	Critiques      int     `json:"critiques"`
	Revisions      int     `json:"revisions"`
	EndedByItself  int     `json:"ended_by_itself"`
	RevisionsPerS  float64 `json:"revisions_per_s"`
	CritiquesPer1k float64 `json:"critiques_per_1k_tokens"`
	CalibrationS   float64 `json:"calibration_s,omitempty"`
	Guesses        int     `json:"guesses"`
	Guessed        int     `json:"guessed"`
}

// over returns the counts with what follows from another wall time, in seconds.
func (c *TextCounts) over(wall float64) *TextCounts {
	if c == nil {
		return nil
	}
	out := *c
	out.RevisionsPerS = float64(c.Revisions) / wall
	return &out
}
