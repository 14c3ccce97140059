// Package worker does jobs in processes of their own. A job computes on a model, and C code may abort, fault or take
// more memory than there is. So the parent keeps everything that must survive, the files of a run above all, and the
// worker only computes: it asks the parent for what is there and gives it what is done, over two pipes. When a worker
// dies, the parent knows which units of the job were under way and starts another one.
package worker

import (
	"context"
	"log/slog"
)

// Job is what a worker is to do. It travels as data.
type Job struct {
	Kind    string     // of job: which Handler does it
	Payload []byte     // inputs and settings, in the encoding that the handler reads
	Limits  Limits     // set by Supervise
	Level   slog.Level // the least level of the worker's log
}

// Limits are what a parent has learnt from workers that died.
type Limits struct {
	// AtMost is how many units may be under way at once; 0 leaves that to the worker.
	AtMost int
	// Alone are the ids of units to be done one at a time, before all others: each was under way when a worker died.
	Alone []string
}

// Handler does one kind of job in the worker. It gets what it needs from the parent, and returns the result in an
// encoding of its own. When ctx ends it finishes what is under way and returns ctx's error.
type Handler func(ctx context.Context, job Job, parent *Client) (result []byte, err error)

// Failure is an error on its way from a worker to its parent.
type Failure struct {
	Kind string // that the job's owner gives it
	Text string
	// Field and Detail are the setting that it is about and what of Text is about it, where there is one.
	Field, Detail string
}

// Error returns the error's text.
func (f *Failure) Error() string { return f.Text }

// Host is what the parent does for a job.
type Host struct {
	// Methods answer the worker's calls, by name. They are called one at a time.
	Methods Methods
	// Notify takes what the worker tells on a topic. It may be nil.
	Notify func(topic string, body []byte)
	// PutAside records that a unit kills the worker also when it runs alone.
	PutAside func(unit, why string) error
	// Unit is what a unit is called in messages: a row, a pair.
	Unit string
	// Log takes the worker's log, and what the parent says of the worker.
	Log *slog.Logger
}
