package render

import (
	"io"
	"os"
	"sync"
	"time"

	"charm.land/log/v2"

	"amend/cmd/amend/internal/app"
)

// The ways to show progress.
const (
	ProgressAuto  = "auto"  // a live line on a terminal, plain lines elsewhere
	ProgressPlain = "plain" // a log line every so often
	ProgressNone  = "none"
)

const (
	drawEvery  = 200 * time.Millisecond // a live line
	plainEvery = 15 * time.Second       // a log line
)

// Progress shows how far some work is. What others write to standard error meanwhile goes through it, and stands above the
// live line.
type Progress struct {
	log      *log.Logger
	mode     string
	stderr   io.Writer
	terminal *terminal // of the live line; nil: none

	mu    sync.Mutex // of what follows
	state app.Progress
	watch stopwatch
	part  bool      // the last text of others has no line end yet
	said  time.Time // a plain line
	ended chan struct{}
	drawn sync.WaitGroup // the goroutine that draws
}

// NewProgress shows nothing before the first Update. The logger's output is stderr.
func NewProgress(mode string, stderr io.Writer, logger *log.Logger) *Progress {
	p := &Progress{log: logger, mode: mode, stderr: stderr}
	if mode != ProgressAuto {
		return p
	}
	p.mode = ProgressPlain
	if f, ok := stderr.(*os.File); ok {
		if p.terminal = terminalOf(f); p.terminal != nil {
			p.mode = ProgressAuto
		}
	}
	return p
}

// Update shows how far the work is.
func (p *Progress) Update(s app.Progress) {
	if p.mode == ProgressNone {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.ended == nil {
		p.begin(now)
	}
	other := s.Phase != p.state.Phase
	p.watch.enter(s.Phase, now)
	p.watch.note(s.PhaseDone)
	p.state = s
	if p.terminal != nil && other {
		p.draw()
	}
}

// begin starts the clock, and what shows the time that passes.
func (p *Progress) begin(now time.Time) {
	p.watch, p.said, p.ended = stopwatch{last: now}, now, make(chan struct{})
	if p.terminal != nil {
		p.log.SetOutput(p)
	}
	p.drawn.Go(func() {
		tick := time.NewTicker(drawEvery)
		defer tick.Stop()
		for {
			select {
			case now := <-tick.C:
				p.tick(now)
			case <-p.ended:
				return
			}
		}
	})
}

// tick shows that time has passed.
func (p *Progress) tick(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch.advance(now)
	switch {
	case p.terminal != nil:
		p.draw()
	case now.Sub(p.said) >= plainEvery:
		p.said = now
		p.log.Info(plainLine(p.state, p.watch))
	}
}

// draw draws the live line.
func (p *Progress) draw() {
	if !p.part && p.terminal.foreground() {
		p.terminal.draw(liveLine(p.state, p.watch, p.terminal.width(), false))
	}
}

// Write writes text of others above the live line.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	live := p.terminal != nil && p.ended != nil
	if live && !p.part {
		p.terminal.clear()
	}
	n, err := p.stderr.Write(text)
	if len(text) > 0 {
		p.part = text[len(text)-1] != '\n'
	}
	if live {
		p.draw()
	}
	return n, err
}

// Close ends the live line, which stays as what was done, and returns standard error to the log. It may be called more than
// once.
func (p *Progress) Close() {
	p.mu.Lock()
	running := p.ended
	p.mu.Unlock()
	if running == nil {
		return
	}
	close(running)
	p.drawn.Wait()
	p.log.SetOutput(p.stderr) // the log may wait for the lock
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = nil
	if p.terminal == nil {
		return
	}
	if p.part {
		p.terminal.end("")
	} else {
		p.terminal.clear()
	}
	if p.state.Of > 0 {
		p.terminal.end(liveLine(p.state, p.watch, p.terminal.width(), true))
	}
}
