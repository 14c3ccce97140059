package cli

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// newVerifyCommand is `amend verify`, which checks a run against its manifest.
func newVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a run against its manifest, offline",
		Long: `Check a run: the database and every row in it, revisions.jsonl against the rows, every label of amend feedback, and
model, adapter, constitution and prompts against the checksums in the manifest. A file that is missing is reported, and
is not an error. If first responses were made by another model or adapter, check their run too. Exit code 2 if something
differs.`,
		Example:           "  amend verify runs/first\n  amend verify runs/first --json | jq '.checks[] | select(.state != \"as recorded\")'",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeRun),
		RunE: func(cmd *cobra.Command, args []string) error {
			report, err := app.Verify(cmd.Context(), args[0])
			if err != nil && !errors.Is(err, failure.ErrDiffers) {
				return err
			}
			if asJSON {
				return cmp.Or(render.JSON(cmd.OutOrStdout(), report), err)
			}
			return cmp.Or(render.Verify(cmd.OutOrStdout(), report), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
