package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine/revise"
	"amend/engine/runstore"
)

// runPlan is what `amend run --plan --json` prints.
type runPlan struct {
	Out     string   `json:"out"`
	Stage   string   `json:"stage,omitempty"` // which of two, where first responses are by another model or adapter
	Changed []string `json:"changed"`         // inputs and settings that differ from the run's; --redo takes them
	Done    int      `json:"done"`            // rows that stay as they are
	revise.Plan
	Seconds float64 `json:"seconds,omitempty"` // about, by what a turn took in this run before; none before there was one
}

// planJob says what a run would do and does nothing.
func planJob(cmd *cobra.Command, o runOptions) (p runPlan, err error) {
	ctx := cmd.Context()
	j := newJob(cmd, o)
	defer func() { err = errors.Join(err, j.close()) }()
	if err := j.prepare(ctx, cmd.InOrStdin()); err != nil {
		return p, err
	}
	return j.plan(ctx)
}

// plan compares the job with the run that is there.
func (j *job) plan(ctx context.Context) (p runPlan, err error) {
	p = runPlan{Out: j.options.out, Changed: []string{}}
	todo := j.set.Rows
	store, err := runstore.Look(j.options.out)
	switch {
	case errors.Is(err, runstore.ErrNotARun): // a new one
	case err != nil:
		return p, err
	default:
		defer func() { err = errors.Join(err, store.Close()) }()
		for _, c := range store.Changes(j.manifest()) {
			p.Changed = append(p.Changed, c.String())
		}
		if len(p.Changed) == 0 {
			todo = nil
			for _, r := range j.set.Rows {
				if !store.Done(r.ID) {
					todo = append(todo, r)
				}
			}
		}
	}
	p.Done = len(j.set.Rows) - len(todo)
	for k, rows := range j.byPreamble(todo) {
		if store != nil {
			j.loops[k].Use(store, j.environment())
		}
		part, err := j.loops[k].Plan(ctx, rows)
		if err != nil {
			return p, err
		}
		p.Plan = p.Plan.Add(part)
	}
	if store != nil {
		p.Seconds = store.Manifest.Measured.TurnSeconds * float64(p.Turns)
	}
	return p, nil
}

func (p runPlan) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return render.JSON(w, p)
	}
	printPlan(w, p)
	return nil
}

func printPlan(w io.Writer, p runPlan) {
	if p.Stage != "" {
		render.Field(w, "stage", p.Stage)
	}
	render.Field(w, "rows", fmt.Sprintf("%d done, %d to do", p.Done, p.Rows))
	for i, c := range p.Changed {
		label := ""
		if i == 0 {
			label = "changed"
		}
		render.Field(w, label, c)
	}
	render.Field(w, "turns", fmt.Sprintf("%d there already, %d to compute; %d rows need none", p.Reused, p.Turns, p.Whole))
	estimate := "not known before some turns of this run have been computed"
	if p.Seconds > 0 {
		estimate = "about " + (time.Duration(p.Seconds) * time.Second).String() + ", by what a turn took before"
	}
	if p.Turns > 0 {
		render.Field(w, "time", estimate)
	}
	if len(p.Changed) > 0 {
		render.Field(w, "next", "the same command with --redo in the place of --plan")
	}
}
