package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
	"amend/engine/export"
)

// newExportCommand is `amend export`, which makes training sets.
func newExportCommand() *cobra.Command {
	var asJSON bool
	c := app.DefaultExportConfig()
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Make a training set of a run",
		Long: `Make a training set of a run's finished rows, in the form that the usual training tools load: a folder with
JSONL or Parquet files in data/, a dataset card (README.md) and the run's constitution.

  sft      messages: the prompt and the last revision that passed, or a first response that a verdict found clean
  dpo      prompt, chosen (the last revision that passed), rejected (the first response)
  kto      prompt, completion, label: the two of a pair as rows of their own
  reward   chosen and rejected as whole conversations
  raw      the whole traces

A revision passed if no check flagged it, no gate refused it, and it says something else than the first response. A first
response with no such revision is left out of sft, unless a verdict found it clean, the run has no revisions, or --keep-first
is given. Pairs need a first response that is not cut off, empty or repeating, and two answers that differ enough.

With --labels, pairs are those that amend feedback has labelled: chosen is the answer that the judge prefers,
label_prob its probability. Of a revision and its draft the judge must prefer the revision. DIR may then be a folder that holds
labels alone.

The same run gives the same bytes. What is left out is counted, each row by one reason. If all is, no set is written.

Exit codes: 0 done, 2 bad usage or input, 3 all rows are left out, 42 cannot work.`,
		Example: `  amend export runs/first --format sft --to jsonl --out sets/sft
  amend export runs/first --format dpo --to parquet --test 0.05 --disjoint --out sets/dpo
  amend export runs/first --format sft --all-revisions --max-chars 4000 --near-duplicates 0.8 --out sets/rounds
  amend export runs/first --format sft --decontaminate xstest.csv --decontaminate truthfulqa.jsonl --out sets/apart
  amend export runs/first --labels --format dpo --min-margin 0.2 --max-flip 0.25 --out sets/labelled`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: first(completeRun),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			c.Run = args[0]
			report, err := app.Export(cmd.Context(), env, c)
			if failed := new(failure.RowsError); err != nil && !errors.As(err, &failed) {
				return err
			}
			if asJSON {
				return errors.Join(render.JSON(cmd.OutOrStdout(), report), err)
			}
			render.Export(cmd.OutOrStdout(), c, report, program())
			return err
		},
	}
	addExportFlags(cmd, &c)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func addExportFlags(cmd *cobra.Command, c *app.ExportConfig) {
	f := cmd.Flags()
	f.StringVar((*string)(&c.Format), "format", string(c.Format), "what the set is for: "+list(export.Formats()))
	f.StringVar((*string)(&c.Encoding), "to", string(c.Encoding), "how rows are written: "+list(export.Encodings()))
	f.StringVarP(&c.Out, "out", "o", c.Out, "folder of the set, new or empty (required)")
	f.BoolVar(&c.AllRevisions, "all-revisions", c.AllRevisions, "sft: every round's revision, not only the last")
	f.BoolVar(&c.KeepFirst, "keep-first", c.KeepFirst, "sft: where no revision passed, take the first response, though nothing found it clean")
	f.BoolVar(&c.Hygiene, "hygiene", c.Hygiene, "leave out turns that a check flagged (amend stats counts them)")
	f.BoolVar(&c.DropUnchanged, "drop-unchanged", c.DropUnchanged, "sft: leave out first responses, those too that a verdict found clean")
	f.StringSliceVar(&c.Principles, "principles", c.Principles, "keep only rows in which one of these was drawn: ids, separated by commas")
	f.IntVar(&c.MaxChars, "max-chars", c.MaxChars, "leave out conversations of more characters; 0: no limit")
	f.Float64Var(&c.NearDuplicates, "near-duplicates", c.NearDuplicates, "leave out rows that share this fraction of their word triples with an earlier one, 0 to 1; 0: keep all")
	f.StringArrayVar(&c.Decontaminate, "decontaminate", nil, "leave out rows that share 13 words in a row with this evaluation file, or a whole shorter prompt; repeatable")
	f.Float64Var(&c.Test, "test", c.Test, "share of prompts in the split test, by hash of the prompt")
	f.BoolVar(&c.Disjoint, "disjoint", c.Disjoint, "sft takes one half of the prompts, pairs the other half")
	f.BoolVar(&c.Labels, "labels", c.Labels, "dpo, kto, reward: take the pairs and labels of amend feedback, with a column label_prob")
	f.Float64Var(&c.MinMargin, "min-margin", c.MinMargin, "with --labels: drop labels whose two probabilities differ by less, 0 to 1")
	f.Float64Var(&c.MaxFlip, "max-flip", c.MaxFlip, "with --labels: drop labels where more than this fraction of principles flips when the answers are swapped, 0 to 1")
	f.IntVar(&c.Repeat, "repeat", c.Repeat, "with --labels: write each pair N times, in either direction in proportion to its label; 0: once, as the judge prefers")
	f.IntVar(&c.ShardMB, "shard-mb", c.ShardMB, "maximum size of a file, in MB of JSON")
}

// list names the members of a list of texts.
func list[T ~string](members []T) string {
	var names []string
	for _, m := range members {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}
