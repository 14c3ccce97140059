package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// variant is one entry of amend bench's variants[]. Times are seconds.
type variant struct {
	Name        string  `json:"name"`
	Rows        int     `json:"rows"`
	WallS       float64 `json:"wall_s"`
	WallSPerRow float64 `json:"wall_s_per_row"`
	DecodeTokS  float64 `json:"decode_tok_s"`
	Decoded     int     `json:"decode_tokens"`
	Computed    int     `json:"prefill_tokens_computed"`
	Reused      int     `json:"prefill_tokens_reused"`
	Runs        int     `json:"runs,omitempty"` // WallS is their median, these the least and most
	MinS        float64 `json:"wall_s_min,omitempty"`
	MaxS        float64 `json:"wall_s_max,omitempty"`
	Note        string  `json:"note,omitempty"`
	*TextCounts
}

// amendReport is what amend bench --json prints, as far as it is read here; the
// rest is handed on.
type amendReport struct {
	Workload string          `json:"workload"`
	Order    string          `json:"order,omitempty"`
	Lengths  json.RawMessage `json:"lengths"`
	Expected json.RawMessage `json:"expected"`
	Need     int             `json:"need,omitempty"` // of the text workload: tokens of the longest row
	Setup    json.RawMessage `json:"setup"`
	Setting  string          `json:"setting,omitempty"`
	Variants []variant       `json:"variants"`
}

var errLimit = errors.New("it took too long")

// bench runs the workload by amend bench, as the command line has it unless
// args say otherwise. It fails with errLimit when it takes longer than limit.
func (b *bencher) bench(ctx context.Context, limit time.Duration, args ...string) (*amendReport, error) {
	return b.amend(ctx, limit, b.options.workload, append(b.options.workloadArgs(), args...)...)
}

// amend runs amend bench with what all runs share.
func (b *bencher) amend(ctx context.Context, limit time.Duration, workload string, args ...string) (*amendReport, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limit, errLimit)
	defer cancel()
	args = append([]string{"bench", workload, "--model", b.options.model, "--json",
		"--seed", strconv.FormatUint(b.options.seed, 10), "--threads", strconv.Itoa(b.options.threads)}, args...)
	if b.options.gpuLayers >= 0 {
		args = append(args, "--gpu-layers", strconv.Itoa(b.options.gpuLayers))
	}
	var out bytes.Buffer
	var log tail
	cmd := command(limited, b.options.amend, args...)
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Run(); err != nil {
		// Why it was stopped says more than that it was: the server's end, say.
		if cause := context.Cause(limited); errors.Is(cause, errLimit) {
			return nil, fmt.Errorf("%w: over %v", cause, limit.Round(time.Second))
		} else if cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("%v: %w. The last it said:\n%s", cmd.Args, err, &log)
	}
	var r amendReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return nil, fmt.Errorf("the report of %v: %w", cmd.Args, err)
	}
	if len(r.Variants) != 1 {
		return nil, fmt.Errorf("the report of %v has %d variants, not 1", cmd.Args, len(r.Variants))
	}
	return &r, nil
}
