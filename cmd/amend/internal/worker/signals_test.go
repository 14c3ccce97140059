//go:build unix

package worker

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestSignal: the signal that ends the context is passed on, and the worker ends by itself. It stands in its parent's process
// group, and leaves what a terminal sends to both of them to its parent.
func TestSignal(t *testing.T) {
	for kind, sig := range map[string]os.Signal{"wait": syscall.SIGTERM, "deaf": os.Interrupt} {
		p := newParent(t, kind, nil)
		ctx, cancel := context.WithCancelCause(t.Context())
		p.ctx = ctx
		p.notify = func(string, []byte) { cancel(Signal{sig}) }
		_, err := p.supervise()
		var f *Failure
		if !errors.As(err, &f) || f.Kind != "stopped" || !strings.Contains(f.Text, "told by "+sig.String()) || p.log.Len() > 0 {
			t.Errorf("%v: %v, %s", sig, err, &p.log)
		}
	}
}

// TestToldByOthers: a worker that somebody else told to end is not started again.
func TestToldByOthers(t *testing.T) {
	p := newParent(t, "told", nil)
	_, err := p.supervise()
	if s := (Signal{}); !errors.As(err, &s) || s.Signal != syscall.SIGTERM || p.log.Len() > 0 {
		t.Errorf("%v, %s", err, &p.log)
	}
}

// TestToldTwice: a second SIGTERM does not end what finishes its work after the first.
func TestToldTwice(t *testing.T) {
	p := newParent(t, "twice", nil)
	_, err := p.supervise()
	if f := new(Failure); !errors.As(err, &f) || f.Kind != "stopped" || p.log.Len() > 0 {
		t.Errorf("%v, %s", err, &p.log)
	}
}

// TestToldToEnd: a worker that dies after it was told to end says nothing about the unit under way.
func TestToldToEnd(t *testing.T) {
	p := newParent(t, "stubborn", nil)
	p.job.Limits.Alone = []string{"unit0"}
	ctx, cancel := context.WithCancel(t.Context())
	p.ctx = ctx
	p.notify = func(string, []byte) { cancel() }
	if _, err := p.supervise(); !errors.Is(err, context.Canceled) || len(p.aside) > 0 {
		t.Errorf("%v, put aside %v", err, p.aside)
	}
}
