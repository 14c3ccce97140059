package worker

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"io"
	"syscall"
)

// Method answers one call: encoded arguments in, an encoded reply out.
type Method func(args []byte) (reply []byte, err error)

// Methods are the calls that a host answers, by name.
type Methods map[string]Method

// noting returns methods that note the first error of all.
func (m Methods) noting(first *error) Methods {
	out := Methods{}
	for name, method := range m {
		out[name] = func(args []byte) ([]byte, error) {
			reply, err := method(args)
			if err != nil && *first == nil {
				*first = err
			}
			return reply, err
		}
	}
	return out
}

// NewMethod makes a method of a function. Both of its types travel as gob, which drops pointers to zero values.
func NewMethod[A, R any](f func(A) (R, error)) Method {
	return func(args []byte) ([]byte, error) {
		var in A
		if err := decode(args, &in); err != nil {
			return nil, err
		}
		out, err := f(in)
		if err != nil {
			return nil, err
		}
		return encode(out)
	}
}

// Call calls a method of the parent.
func Call[R, A any](c *Client, method string, args A) (reply R, err error) {
	return CallEnding[R](c, method, args, "")
}

// CallEnding is Call for the call that completes a unit: when it succeeds the unit is no longer under way.
func CallEnding[R, A any](c *Client, method string, args A, unit string) (reply R, err error) {
	in, err := encode(args)
	if err != nil {
		return reply, fmt.Errorf("calling %s of the parent process: %w", method, err)
	}
	out, err := c.call(message{Kind: call, Name: method, Body: in, Unit: unit})
	if err != nil {
		return reply, err
	}
	return reply, decode(out, &reply)
}

// Nothing is the reply of methods that only do something. gob wants a field.
type Nothing struct{ None bool }

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func decode(text []byte, v any) error { return gob.NewDecoder(bytes.NewReader(text)).Decode(v) }

// kind is what a worker's message is about.
type kind string

const (
	call   kind = "call"   // the parent answers
	begin  kind = "begin"  // a unit is under way
	notify kind = "notify" // for Host.Notify
	logged kind = "log"
	final  kind = "final" // the job is over
)

// message is what a worker sends. Which fields count depends on the kind.
type message struct {
	Kind    kind
	Name    string // of a method or topic
	Body    []byte // arguments, what is told, or the job's result
	Unit    string // that begins, or that a call completes
	Record  record // of the log
	Failure *Failure
}

// answer is the parent's to a call, or its word that the worker is to end.
type answer struct {
	Body   []byte
	Failed bool
	Text   string         // of the error
	Stop   syscall.Signal // unless 0 this answers no call: the worker is to end as it would by this signal
}

// link sends and receives one side's messages.
type link struct {
	enc *gob.Encoder
	dec *gob.Decoder
}

func newLink(in io.Reader, out io.Writer) link {
	return link{gob.NewEncoder(out), gob.NewDecoder(in)}
}
