package render

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"charm.land/log/v2"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"amend/cmd/amend/internal/app"
)

// The ways to show progress.
const (
	ProgressAuto  = "auto"  // a live line on a terminal, plain lines elsewhere
	ProgressPlain = "plain" // a log line every so often
	ProgressNone  = "none"
)

// plainEvery is how often plain progress writes a line.
const plainEvery = 15 * time.Second

// Progress shows how far some work is. Update and Close are called on one goroutine; on a terminal another one draws.
type Progress struct {
	log    *log.Logger
	mode   string
	stderr io.Writer
	file   *os.File // the terminal of a live line; nil: none
	start  time.Time
	said   time.Time

	bars *mpb.Progress
	bar  *mpb.Bar
	line atomic.Pointer[string]
}

// NewProgress shows nothing before the first Update. The logger's output is stderr.
func NewProgress(mode string, stderr io.Writer, logger *log.Logger) *Progress {
	p := &Progress{log: logger, mode: mode, stderr: stderr}
	if f, ok := stderr.(*os.File); mode == ProgressAuto && ok && term.IsTerminal(int(f.Fd())) {
		p.file = f
	} else if mode == ProgressAuto {
		p.mode = ProgressPlain
	}
	return p
}

// Update shows how far the work is. It begins again where the work does.
func (p *Progress) Update(s app.Progress) {
	if p.start.IsZero() || s.Done == s.Before && s.Engine == nil {
		p.begin(s)
	}
	switch {
	case p.bar != nil:
		line := p.text(s)
		p.line.Store(&line)
		p.bar.SetCurrent(int64(s.Done))
	case p.mode == ProgressPlain && time.Since(p.said) >= plainEvery:
		p.said = time.Now()
		p.log.Info(p.text(s))
	}
}

// begin starts the clock, and on a terminal the live line.
func (p *Progress) begin(s app.Progress) {
	p.Close()
	p.start, p.said = time.Now(), time.Now()
	if p.file == nil {
		return
	}
	empty := ""
	p.line.Store(&empty)
	p.bars = mpb.New(mpb.WithOutput(p.file), mpb.WithWidth(24), mpb.WithRefreshRate(200*time.Millisecond))
	p.bar = p.bars.AddBar(int64(s.Of), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return *p.line.Load() })))
	p.log.SetOutput(p.bars) // log lines go above the bar
}

func (p *Progress) text(s app.Progress) string {
	line := fmt.Sprintf("%d/%d %ss, %d failed, ETA %s", s.Done, s.Of, s.Unit, s.Failed, p.eta(s))
	if e := s.Engine; e != nil {
		line += fmt.Sprintf(" · decode %.0f tok/s, prefill %.0f tok/s, reuse %.0f %% · KV %d/%d cells, %d alive",
			e.DecodeTokS, e.PrefillTokS, 100*e.Reuse, e.Cells, e.CellLimit, e.Alive)
	}
	return line
}

// eta estimates how long the rest takes at the speed so far.
func (p *Progress) eta(s app.Progress) string {
	here := s.Done - s.Before
	if here == 0 {
		return "?"
	}
	left := time.Since(p.start) / time.Duration(here) * time.Duration(s.Of-s.Done)
	return left.Round(time.Second).String()
}

// Close ends the live line and returns standard error to the log. It may be called more than once.
func (p *Progress) Close() {
	if p.bars == nil {
		return
	}
	p.bar.Abort(false)
	p.bars.Wait()
	p.log.SetOutput(p.stderr)
	p.bars, p.bar = nil, nil
}
