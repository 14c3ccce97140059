package cli

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

	"amend/cmd/amend/internal/render"
	"amend/engine"
)

// The values of --progress.
const (
	progressAuto  = "auto"  // a live line on a terminal, plain lines elsewhere
	progressPlain = "plain" // a log line every so often
	progressNone  = "none"
)

// plainEvery is how often plain progress says something.
const plainEvery = 15 * time.Second

// progress shows how far a run is. Its methods are called on the engine's
// goroutine; on a terminal another goroutine draws.
type progress struct {
	log   *log.Logger
	mode  string
	total int
	start time.Time
	said  time.Time

	done, failed int
	before       int // rows that an earlier process did

	bars *mpb.Progress
	bar  *mpb.Bar
	line atomic.Pointer[string]
}

// newProgress starts showing total rows, of which before are done already.
func newProgress(mode string, stderr io.Writer, logger *log.Logger, total, before int) *progress {
	now := time.Now()
	p := &progress{log: logger, mode: mode, total: total, start: now, said: now, done: before, before: before}
	if f, ok := stderr.(*os.File); mode == progressAuto && ok && term.IsTerminal(int(f.Fd())) {
		p.live(f)
	} else if mode == progressAuto {
		p.mode = progressPlain
	}
	return p
}

func (p *progress) live(f *os.File) {
	empty := ""
	p.line.Store(&empty)
	p.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(24), mpb.WithRefreshRate(200*time.Millisecond))
	p.bar = p.bars.AddBar(int64(p.total),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return *p.line.Load() })))
	p.bar.SetCurrent(int64(p.done))
	p.log.SetOutput(p.bars) // log lines go above the bar
}

// row counts a finished row.
func (p *progress) row(failed bool) {
	if failed {
		p.failed++
	}
	p.done++
	if p.bar != nil {
		p.bar.SetCurrent(int64(p.done))
	}
}

// tell shows how many rows are done, where there is no engine with figures.
func (p *progress) tell() {
	line := fmt.Sprintf("%d/%d rows, %d failed, ETA %s", p.done, p.total, p.failed, p.eta())
	if p.bar != nil {
		p.line.Store(&line)
		return
	}
	if p.mode == progressPlain && time.Since(p.said) >= plainEvery {
		p.said = time.Now()
		p.log.Info(line)
	}
}

// step shows the engine's figures.
func (p *progress) step(s engine.Stats, u engine.Usage) {
	if p.bar != nil {
		line := p.text(s, u)
		p.line.Store(&line)
		return
	}
	if p.mode == progressPlain && time.Since(p.said) >= plainEvery {
		p.said = time.Now()
		p.log.Info(p.text(s, u))
	}
}

func (p *progress) text(s engine.Stats, u engine.Usage) string {
	return fmt.Sprintf("%d/%d rows, %d failed, ETA %s · decode %.0f tok/s, prefill %.0f tok/s, reuse %.0f %% · KV %d/%d cells, %d rows alive",
		p.done, p.total, p.failed, p.eta(),
		rate(s.StepTokens, s.DecodeTime), rate(s.Prefilled, s.PrefillTime), render.Percent(s.Reused, s.Reused+s.Prefilled),
		u.Cells, u.CellLimit, u.Active+u.Waiting)
}

// eta is how long the rest takes if it goes on as it went.
func (p *progress) eta() string {
	here := p.done - p.before
	if here == 0 {
		return "?"
	}
	left := time.Since(p.start) / time.Duration(here) * time.Duration(p.total-p.done)
	return left.Round(time.Second).String()
}

// close ends the live line and gives standard error back to the log.
func (p *progress) close(stderr io.Writer) {
	if p.bars == nil {
		return
	}
	p.bar.Abort(false)
	p.bars.Wait()
	p.log.SetOutput(stderr)
}

func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}
