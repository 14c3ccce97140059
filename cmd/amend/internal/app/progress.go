package app

import (
	"encoding/json"
	"time"

	"amend/cmd/amend/internal/worker"
	"amend/engine"
)

// progressTopic is what workers tell their progress on.
const progressTopic = "progress"

// reportEvery is how often a worker tells how far it is.
const reportEvery = 200 * time.Millisecond

// reporter tells the parent how far a worker is. It is used on one goroutine.
type reporter struct {
	parent *worker.Client
	state  Progress
	told   time.Time
}

// newReporter begins with units that an earlier command did.
func newReporter(parent *worker.Client, unit string, of, before int) *reporter {
	r := &reporter{parent: parent, state: Progress{Unit: unit, Of: of, Done: before, Before: before}}
	r.tell(true)
	return r
}

// unit counts a unit that is done.
func (r *reporter) unit(failed bool) {
	r.state.Done++
	if failed {
		r.state.Failed++
	}
	r.tell(r.state.Done == r.state.Of)
}

// step takes the engine's figures.
func (r *reporter) step(e *engine.Engine) {
	if time.Since(r.told) < reportEvery {
		return
	}
	s, use := e.Stats(), e.Usage()
	r.state.Engine = &EngineProgress{
		DecodeTokS: rate(s.StepTokens, s.DecodeTime), PrefillTokS: rate(s.Prefilled, s.PrefillTime),
		Reuse: share(s.Reused, s.Reused+s.Prefilled), Cells: use.Cells, CellLimit: use.CellLimit, Alive: use.Active + use.Waiting,
	}
	r.tell(false)
}

// tell sends the state, unless that was done a moment ago.
func (r *reporter) tell(now bool) {
	if !now && time.Since(r.told) < reportEvery {
		return
	}
	r.told = time.Now()
	if text, err := json.Marshal(r.state); err == nil {
		_ = r.parent.Notify(progressTopic, text) // a parent that is gone ends the process by itself
	}
}

// notify takes what workers tell.
func (e Env) notify(topic string, body []byte) {
	var p Progress
	if e.Progress == nil || topic != progressTopic || json.Unmarshal(body, &p) != nil {
		return
	}
	e.Progress(p)
}

// rate is n for each second; 0 where no time passed.
func rate(n int, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}
