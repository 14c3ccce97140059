package app

import (
	"encoding/json"
	"time"

	"amend/cmd/amend/internal/worker"
	"amend/engine"
)

// Phase is what some work is at, in words for a person.
type Phase string

// The phases, in the order in which work goes through them. Some work has not all of them.
const (
	Starting  Phase = "starting"
	Loading   Phase = "loading model"
	Testing   Phase = "testing model"
	Measuring Phase = "measuring" // rows, memory and how long steps take
	Preamble  Phase = "preamble"
	Counting  Phase = "counting turns"
	Working   Phase = "" // the units of the work are under way
)

// Progress says how far some work is.
type Progress struct {
	Phase  Phase
	Unit   string // what is counted: row, pair, response
	Of     int    // units of the work: rows, pairs
	Done   int    // of these, also those that an earlier command did
	Before int    // of Done, by earlier commands
	Failed int
	// Turns are those of all units, TurnsOf how many there will be, and TurnsBefore those of Turns that this command did not
	// compute. TurnsOf is 0 where they are not counted.
	Turns, TurnsOf, TurnsBefore int
	// PhaseDone of PhaseOf things are done in a phase before the units; PhaseOf is 0 where that is not known.
	PhaseDone, PhaseOf int
	PhaseThing         string  // what is counted: token, row
	DecodeTokS         float64 // of the engine; 0 where it has decoded nothing
}

// progressTopic is what workers tell their progress on.
const progressTopic = "progress"

// reportEvery is how often a worker tells how far it is.
const reportEvery = 200 * time.Millisecond

// reporter tells the parent how far a worker is. It is used on one goroutine.
type reporter struct {
	parent *worker.Client
	state  Progress
	pinned int // tokens that the engine had computed or reused when preambles began
	told   time.Time
}

// newReporter begins with a model that is to be loaded. unit is what will be counted.
func newReporter(parent *worker.Client, unit string) *reporter {
	r := &reporter{parent: parent, state: Progress{Unit: unit}}
	r.enter(Loading)
	return r
}

// enter begins another phase.
func (r *reporter) enter(p Phase) { r.enterCounted(p, 0, "") }

// enterCounted begins another phase, in which so many things are done.
func (r *reporter) enterCounted(p Phase, of int, thing string) {
	r.state.Phase, r.state.PhaseDone, r.state.PhaseOf, r.state.PhaseThing = p, 0, of, thing
	r.tell(true)
}

// part says how much of a phase is done.
func (r *reporter) part(done, of int) {
	r.state.PhaseDone, r.state.PhaseOf = done, of
	r.tell(false)
}

// pin begins to compute preambles of so many tokens together.
func (r *reporter) pin(e *engine.Engine, tokens int) {
	s := e.Stats()
	r.pinned = s.Prefilled + s.Reused
	r.enterCounted(Preamble, tokens, "token")
}

// count says how many units there are, and how many of them earlier commands did.
func (r *reporter) count(of, before int) {
	r.state.Of, r.state.Done, r.state.Before = of, before, before
}

// countTurns says how many turns the units will have, and how many of them those have that earlier commands did.
func (r *reporter) countTurns(of, before int) {
	r.state.TurnsOf, r.state.Turns, r.state.TurnsBefore = of, before, before
}

// turn counts a turn. One that is stored was computed by an earlier command.
func (r *reporter) turn(stored bool) {
	if r.state.TurnsOf == 0 {
		return
	}
	r.state.Turns++
	r.state.TurnsOf = max(r.state.TurnsOf, r.state.Turns)
	if stored {
		r.state.TurnsBefore++
	}
	r.tell(false)
}

// unit counts a unit that is done, and takes off the turns that it did not need; fewer than none where it needed more.
func (r *reporter) unit(failed bool, unused int) {
	r.state.Done++
	if failed {
		r.state.Failed++
	}
	last := r.state.Done == r.state.Of
	if r.state.TurnsOf -= unused; r.state.TurnsOf < r.state.Turns || last {
		r.state.TurnsOf = r.state.Turns
	}
	r.tell(last)
}

// unitBefore counts a unit that an earlier command did, as this one finds out.
func (r *reporter) unitBefore() {
	r.state.Done++
	r.state.Before++
	r.tell(r.state.Done == r.state.Of)
}

// step takes the engine's figures.
func (r *reporter) step(e *engine.Engine) {
	if time.Since(r.told) < reportEvery {
		return
	}
	s := e.Stats()
	r.state.DecodeTokS = rate(s.StepTokens, s.DecodeTime)
	if r.state.Phase == Preamble {
		r.state.PhaseDone = s.Prefilled + s.Reused - r.pinned
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
