package cli

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

func newConstitutionLintCommand() *cobra.Command {
	var asJSON bool
	var c app.LintConfig
	cmd := &cobra.Command{
		Use:   "lint CONSTITUTION...",
		Short: "Find what is valid but probably not intended",
		Long: `Find what is valid but probably not intended. Errors have no effect as they stand: principles that no row can
draw, tests that the judge is shown too, judgements that a place or a length gives away. Warnings may make results
worse: no demonstrations, none that finds nothing to correct, critique requests that take a breach for granted,
near-duplicates, texts that are long for a small context. Exit code 2 if there are errors.`,
		Example:           "  amend constitution lint mine.yaml\n  amend constitution lint mine.yaml --prompts prompts.jsonl",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeConstitution,
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			c.Constitution = args
			report, err := app.Lint(env, c)
			if err != nil && !errors.Is(err, failure.ErrDiffers) {
				return err
			}
			if asJSON {
				return cmp.Or(render.JSON(cmd.OutOrStdout(), report), err)
			}
			return cmp.Or(render.Findings(cmd.OutOrStdout(), report), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringArrayVarP((*[]string)(&c.Prompts), "prompts", "p", nil, "prompts whose rows must be able to draw the principles")
	return cmd
}
