package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
	"amend/engine/check"
	"amend/engine/revise"
)

// showFlags are the flags of `amend show`.
type showFlags struct {
	app.RowFilter
	prompt bool
	json   bool
}

func (o *showFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar((*string)(&o.Flag), "flag", "", "list only rows with a turn that has this flag: "+list(check.Flags()))
	f.StringVar(&o.Principle, "principle", "", "list only rows in which this principle was drawn")
	f.IntVar(&o.Round, "round", app.AnyRound, "apply the other filters to this round alone; 0 is the first response (default any)")
	f.BoolVar(&o.Changed, "changed", false, "list only rows whose last answer is not the first response; with --round, whose answer changed in that round")
	f.BoolVar(&o.prompt, "prompt", false, "of ROW, show exactly what the model was sent for each turn, with control tokens")
	f.BoolVar(&o.json, "json", false, "print one JSON object, with the rows as rows[]; with --prompt, what was sent as sent[]")
	f.Lookup("round").DefValue = "" // any
}

// newShowCommand is `amend show`, which prints a run for a person.
func newShowCommand() *cobra.Command {
	var o showFlags
	cmd := &cobra.Command{
		Use:   "show DIR [ROW]",
		Short: "Show a run: its rows, or everything said in one of them",
		Long: `List the finished rows of a run, or print the trace of one row: the settings, the conversation, the response, and for each
round the principle, the critique and the revision, with the flags of each turn, and the labels of amend feedback. Filters
choose the rows that are listed: one turn must have the flag, the principle and the round.

ROW is a row's id, its number in the first column, or the beginning of its id. The run may still be
in progress.`,
		Example: `  amend show runs/first
  amend show runs/first --flag cut --round 1
  amend show runs/first 3
  amend show runs/first 3 --prompt
  amend show runs/first --changed --json | jq '.rows[].turns[-1].text'`,
		Args:              cobra.RangeArgs(1, 2),
		ValidArgsFunction: completeRow,
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := app.ReadRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				return o.row(cmd, run, args[1])
			}
			return o.rows(cmd, run)
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// rows lists the rows of a run that pass the filters.
func (o *showFlags) rows(cmd *cobra.Command, run app.StoredRun) error {
	if o.prompt {
		return &failure.FieldError{Field: "prompt", Want: "is for one row: give ROW too"}
	}
	run, err := run.Where(o.RowFilter)
	if err != nil {
		return err
	}
	if o.json {
		return render.RunJSON(cmd.OutOrStdout(), run)
	}
	labels, err := app.ReadLabels(cmd.Context(), run.Dir)
	if err != nil {
		return err
	}
	return render.Run(render.NewPage(cmd.OutOrStdout()), run, labels, o.RowFilter != app.RowFilter{Round: app.AnyRound})
}

// row prints one row, or what the model was sent for it.
func (o *showFlags) row(cmd *cobra.Command, run app.StoredRun, name string) error {
	if err := givenWithout(cmd.Flags(), "chooses rows of the list: leave ROW out", "flag", "principle", "round", "changed"); err != nil {
		return err
	}
	row, err := app.FindRow(run, name)
	if err != nil {
		return err
	}
	if o.prompt {
		return o.sent(cmd, run, row)
	}
	if o.json {
		return render.RunJSON(cmd.OutOrStdout(), run.Only(row))
	}
	labels, err := app.ReadLabels(cmd.Context(), run.Dir)
	if err != nil {
		return err
	}
	return render.Trace(render.NewPage(cmd.OutOrStdout()), run, row, labels)
}

// sent prints what the model was sent for a row.
func (o *showFlags) sent(cmd *cobra.Command, run app.StoredRun, row revise.Record) error {
	env, err := newEnv(cmd)
	if err != nil {
		return err
	}
	turns, err := app.Sent(cmd.Context(), env, run, row)
	if err != nil {
		return err
	}
	if o.json {
		return render.JSON(cmd.OutOrStdout(), map[string]any{"id": row.ID, "sent": turns})
	}
	return render.Sent(render.NewPage(cmd.OutOrStdout()), turns)
}
