package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/constitution"
)

func newConstitutionNewCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "new [FILE]",
		Short: "Write a constitution with comments to start from",
		Long: `Write a constitution with comments to start from: a few rules, requests, demonstrations and judgements. FILE must not
exist; without one it is printed.`,
		Example: "  amend constitution new mine.yaml\n  amend constitution lint mine.yaml",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(cmd.OutOrStdout(), constitution.Skeleton("mine"))
				return err
			}
			if err := app.NewConstitution(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s; next: edit it, then %s constitution lint %[1]s\n", args[0], program())
			return err
		},
	}
}
