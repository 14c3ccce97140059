package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// newShowCommand is `amend show`, which prints a run for a person.
func newShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show DIR [ROW]",
		Short: "Show a run: its rows, or everything said in one of them",
		Long: `List the finished rows of a run, or print the trace of one row: the conversation, the response, and for each
round the principle, the critique and the revision, with the flags of each turn.

ROW is a row's id, its number in the first column, or the beginning of its id. The run may still be
in progress.`,
		Example: "  amend show runs/first\n  amend show runs/first 3\n  amend show runs/first --json | jq '.rows[].turns[-1].text'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			run, err := app.ReadRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if len(args) == 2 {
				return showRow(cmd, run, args[1], asJSON)
			}
			if asJSON {
				return render.RunJSON(cmd.OutOrStdout(), run)
			}
			return render.Run(render.NewPage(cmd.OutOrStdout()), run)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, with the rows as rows[]")
	return cmd
}

// showRow prints one row.
func showRow(cmd *cobra.Command, run app.StoredRun, name string, asJSON bool) error {
	row, err := app.FindRow(run, name)
	if err != nil {
		return err
	}
	if asJSON {
		return render.RunJSON(cmd.OutOrStdout(), run.Only(row))
	}
	return render.Trace(render.NewPage(cmd.OutOrStdout()), row)
}
