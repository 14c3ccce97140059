package cli

import (
	"cmp"
	"errors"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
)

// newDataCommand is `amend data`, the commands for input files.
func newDataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "data",
		Short:   "Show how input files are read",
		Example: "  amend data inspect prompts.jsonl\n  amend data inspect --pairs preferences.parquet",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDataInspectCommand())
	return cmd
}

func newDataInspectCommand() *cobra.Command {
	var asJSON bool
	var c app.InspectConfig
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Show how a file is read: its form, what is ignored, counts, the first row",
		Long: `Read files, folders or patterns as amend run --prompts does, or with --pairs as amend feedback --pairs does, and show
how: the form of each file, the columns that are read, what is ignored, how many rows there are, what cannot be read
and why, and the first row. - is standard input. docs/inputs.md lists what can be read.

Exit codes: 0 all records can be read, 2 none can, 3 some cannot.`,
		Example: "  amend data inspect prompts.jsonl\n  amend data inspect 'shards/*.parquet' --json\n  amend data inspect --pairs hh-rlhf.jsonl.gz\n  amend data inspect questions.csv --map prompt=Question",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			c.Files = args
			r, err := app.InspectData(env, c)
			var field *failure.FieldError
			if len(r.Files) == 0 || errors.As(err, &field) {
				return err
			}
			if asJSON {
				return cmp.Or(render.JSON(cmd.OutOrStdout(), r), err)
			}
			return cmp.Or(render.Inspection(cmd.OutOrStdout(), r), err)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&c.Pairs, "pairs", false, "read pairs of answers, and not prompts")
	f.BoolVar(&c.FromResponses, "from-responses", false, "keep responses, as amend run --from-responses does")
	f.StringArrayVar(&c.Map, "map", nil, mapUsage)
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
