package cli

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// gateFlags say which revisions a run takes.
type gateFlags struct {
	on           bool
	tries        int
	margin, veto float64
	minMass      float64
}

// gateFlag turns the gate on.
const gateFlag = "gate"

func (o *gateFlags) addFlags(f *pflag.FlagSet) {
	f.BoolVar(&o.on, gateFlag, false, "take a revision only if the model, as a judge, prefers it in both orders under the drawn principle, and the draft under no other; rows whose draft is found clean under two principles end early")
	f.IntVar(&o.tries, "gate-tries", 2, "new tries after a revision that is refused, each under another draw; then the draft stays")
	f.Float64Var(&o.margin, "gate-margin", 0, "by how much more than a half the judge must favour the revision under the drawn principle, in either order (0 to 0.5)")
	f.Float64Var(&o.veto, "gate-veto", 0, "by how much more than a half it may favour the draft under any other principle, in the mean of both orders (0 to 0.5)")
	f.Float64Var(&o.minMass, "gate-min-mass", defaultMinMass, minMassUsage)
}

// defaultMinMass is the least probability of a judgement's two answers together.
const (
	defaultMinMass = 0.1
	minMassUsage   = "a judgement is invalid where the model finds its two answers together less likely than this"
)

// validate checks what flags alone can tell. given are those of the command line, to which a supervisor
// may have added.
func (o *gateFlags) validate(given *pflag.FlagSet, supervised bool) error {
	for _, name := range []string{"gate-tries", "gate-margin", "gate-veto", "gate-min-mass"} {
		if given.Changed(name) && !o.on && !supervised {
			return fmt.Errorf("--%s is of a gate: give --%s too", name, gateFlag)
		}
	}
	if err := within([]limits{{"--gate-tries", o.tries, 0, 100}}); err != nil {
		return err
	}
	for _, c := range []struct {
		flag      string
		value, hi float64
	}{{"--gate-margin", o.margin, 0.5}, {"--gate-veto", o.veto, 0.5}, {"--gate-min-mass", o.minMass, 1}} {
		if !(c.value >= 0 && c.value <= c.hi) {
			return fmt.Errorf("%s %v: must be from 0 to %v", c.flag, c.value, c.hi)
		}
	}
	return nil
}

// openGate makes the gate of a run, nil where it has none.
func (j *job) openGate(ctx context.Context) (*revise.Gate, error) {
	o := j.options.gate
	if !o.on {
		return nil, nil
	}
	judge, err := feedback.New(ctx, j.format, j.doc, feedback.Settings{Layout: feedback.OptionsFirst, Seed: j.options.seed, MinMass: o.minMass})
	if err != nil {
		return nil, usage(err)
	}
	return &revise.Gate{Judge: judge, Tries: o.tries, Margin: o.margin, Veto: o.veto}, nil
}

// results are the flags as the manifest has them.
func (o gateFlags) results() runstore.Gate {
	if !o.on {
		return runstore.Gate{}
	}
	return runstore.Gate{On: true, Tries: o.tries, Margin: o.margin, Veto: o.veto, MinMass: o.minMass}
}
