// Package supervise runs an engine in a process of its own. The parent owns the run's database, the child only
// computes: it asks the parent for what is done and tells it what it has done, over two pipes. When the child dies (an
// abort in C, the kernel's killer, a fault), the parent knows which rows were under way and starts another one.
package supervise

import (
	"encoding/gob"
	"errors"
	"io"

	"amend/engine"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// op is what a child asks for.
type op string

const (
	opOpen         op = "open"
	opRecall       op = "recall"
	opRemember     op = "remember"
	opBegin        op = "begin"
	opAppend       op = "append"
	opMeasure      op = "measure"
	opConstitution op = "constitution"
	opFinish       op = "finish"
	opBye          op = "bye"
)

// request is a child's message. What a field holds depends on the op.
type request struct {
	Op     op
	Dir    string
	JSON   []byte // what is kept as JSON: a manifest, a record, what was measured, unreadable rows
	Key    revise.Key
	Output output
	Text   []byte
	Opts   runstore.Options
	Code   int
}

// response is the parent's answer.
type response struct {
	Failure  *failure
	JSON     []byte
	OK       bool
	Output   output
	Done     []string
	Warnings []string
	Orders   Orders
}

// Orders are what a parent learnt from the children before.
type Orders struct {
	// Alone are rows to be tried one at a time before the others: one of them was under way when a child died.
	Alone []string
}

// output is revise.TurnResult for gob, which drops pointers to zeros.
type output struct {
	Tokens                         []engine.Token
	Text                           string
	End                            engine.End
	Limit, Prompt, Reused, Decoded int
	HasLogProb                     bool
	LogProb                        float64
	Scores                         []float64
}

func pack(o revise.TurnResult) output {
	out := output{Tokens: o.Tokens, Text: o.Text, End: o.End, Limit: o.Limit, Prompt: o.Prompt, Reused: o.Reused, Decoded: o.Decoded, Scores: o.Scores}
	if o.LogProb != nil {
		out.HasLogProb, out.LogProb = true, *o.LogProb
	}
	return out
}

func (o output) unpack() revise.TurnResult {
	out := revise.TurnResult{Tokens: o.Tokens, Text: o.Text, End: o.End, Limit: o.Limit, Prompt: o.Prompt, Reused: o.Reused, Decoded: o.Decoded, Scores: o.Scores}
	if o.HasLogProb {
		out.LogProb = &o.LogProb
	}
	return out
}

// failure is an error on its way to the child. Those whose type decides an exit code or a message arrive as such.
type failure struct {
	Text    string
	Changed *runstore.ChangedError
	Locked  *runstore.LockedError
	NotARun bool
}

func newFailure(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error(), NotARun: errors.Is(err, runstore.ErrNotARun)}
	errors.As(err, &f.Changed)
	errors.As(err, &f.Locked)
	return f
}

func (f *failure) err() error {
	switch {
	case f == nil:
		return nil
	case f.Changed != nil:
		return f.Changed
	case f.Locked != nil:
		return f.Locked
	case f.NotARun:
		return &remoteError{f.Text, runstore.ErrNotARun}
	}
	return &remoteError{text: f.Text}
}

// remoteError is an error of the parent, in its words.
type remoteError struct {
	text string
	kind error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.kind }

// link sends and receives one side's messages.
type link struct {
	enc *gob.Encoder
	dec *gob.Decoder
}

func newLink(in io.Reader, out io.Writer) link {
	return link{gob.NewEncoder(out), gob.NewDecoder(in)}
}
