package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"amend/cmd/amend/internal/bench/peer"
	"amend/cmd/amend/internal/workload"
)

// drivePeer runs the workload through a llama-server at address and returns what that took as the variant called name.
// With cache the server's prompt caching is on; without it the server computes every prompt from its first token. Each of
// concurrency workers takes a row and runs its turns in order, so that a slot of the server keeps the row's prefix from
// turn to turn. A server with fewer slots lets the others wait.
//
// It fails when the server cannot be reached, answers with an error, or with anything else than the tokens asked for. The
// error names the row and the turn.
func drivePeer(ctx context.Context, address, name string, w *workload.Workload, concurrency int, cache bool) (Variant, error) {
	c, err := connect(address, name, concurrency)
	if err != nil {
		return Variant{}, err
	}
	defer c.Close()
	start := time.Now()
	sums := make([]peer.Timings, concurrency)
	err = eachRow(ctx, len(w.Rows), concurrency, func(ctx context.Context, worker, row int) error {
		if err := completeRow(ctx, c, &w.Rows[row], cache, &sums[worker]); err != nil {
			return fmt.Errorf("row %d, %w", row, err)
		}
		return nil
	})
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	var sum peer.Timings
	for _, s := range sums {
		sum.Add(s)
	}
	return variant(name, len(w.Rows), sum.Predicted, sum.Computed, sum.Reused, time.Since(start)), nil
}

// connect makes a client of the server that is called name.
func connect(address, name string, concurrency int) (*peer.Client, error) {
	if concurrency < 1 {
		return nil, fmt.Errorf("driving %s with %d requests at once: at least 1 is needed", name, concurrency)
	}
	c, err := peer.New(address, concurrency)
	if err != nil {
		return nil, fmt.Errorf("driving %s: %w", name, err)
	}
	return c, nil
}

// completeRow runs a row's turns and adds what they took to sum.
func completeRow(ctx context.Context, c *peer.Client, r *workload.Row, cache bool, sum *peer.Timings) error {
	outputs := make([][]workload.Token, len(r.Turns))
	for t, turn := range r.Turns {
		got, err := c.Complete(ctx, r.Prompt(t, outputs), turn.Decode, cache)
		if err != nil {
			return fmt.Errorf("turn %d: %w", t, err)
		}
		outputs[t] = got.Tokens
		sum.Add(got.Timings)
	}
	return nil
}

// eachRow has workers, numbered from 0, take the rows in order, each one at a
// time. The first failure stops them all and is returned.
func eachRow(ctx context.Context, rows, workers int, do func(ctx context.Context, worker, row int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	go func() {
		defer close(next)
		for i := range rows {
			select {
			case next <- i:
			case <-ctx.Done():
				return
			}
		}
	}()
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for row := range next {
				if err := do(ctx, worker, row); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}
