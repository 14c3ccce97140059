package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/engine/stats"
	"amend/models/testbed"
)

// newEvalCommand is `amend eval`, what an oracle says of a run.
func newEvalCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval DIR",
		Short: "Judge a run of the testbed model against its world's truth, round by round",
		Long: `Judge what each round of a run did: how many responses break a rule, what the critiques saw of it, what the
revisions repaired, spoiled and lost. Only the testbed model has an oracle, a program that knows its world's
rules (docs/testbed.md). For other models amend stats counts what can be counted without one.`,
		Example: "  amend run --model testbed --prompts prompts.jsonl --revisions 4 --out runs/t\n  amend eval runs/t\n  amend eval runs/t --json | jq '.rounds[].violations'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			manifest, rows, err := runstore.Read(args[0])
			if err != nil {
				return err
			}
			if !isTestbed(manifest) {
				return fmt.Errorf("%s was made with %s: there is an oracle for the testbed model only, and nobody here can say which of these responses are good; amend stats %s counts turns, flags and tokens", args[0], manifest.Setup.Model, args[0])
			}
			out, err := oracle.Of(testbed.New(), manifest.Results.Revisions, rows)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), out)
			}
			return printOutcome(cmd.OutOrStdout(), out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// isTestbed reports whether a run was made with the embedded model.
func isTestbed(m runstore.Manifest) bool {
	return m.Results.ModelSHA256 == testbed.SHA256()
}

// printOutcome writes a table, a round a line.
func printOutcome(w io.Writer, o oracle.Outcome) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "round\trows\tbreak a rule\t95 %\tkept facts\tin grammar\tprecision\trecall\tfixed\tnothing else\tworse\t")
	for _, r := range o.Rounds {
		fmt.Fprintf(tw, "%d\t%d\t%s\t%s\t%s\t%s\t", r.Round, r.Rows, share(r.Violating), interval(r.Violating), share(r.KeptFacts), share(r.InGrammar))
		precision, recall, fixed, only, worse := "", "", "", "", ""
		if c := r.Critiques; c != nil {
			precision, recall = share(c.Precision), share(c.Recall)
		}
		if v := r.Revisions; v != nil {
			fixed, only, worse = share(v.Fixed), share(v.Only), share(v.Worse)
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t\n", precision, recall, fixed, only, worse)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if o.Worse.Of > 0 && len(o.Rounds) > 1 {
		fmt.Fprintf(w, "made worse: %s (%s) of the rows break a rule at the end that their first response kept\n", share(o.Worse), interval(o.Worse))
	}
	if o.Foreign+o.Failed > 0 {
		fmt.Fprintf(w, "not counted: %d rows whose prompt is not of the testbed's world, %d that failed\n", o.Foreign, o.Failed)
	}
	fmt.Fprint(w, `
Judged by the testbed's oracle, which knows its world's truth; it says nothing of other models.
precision, recall  of critiques: breaches of the drawn principle, with the right words quoted
fixed              revisions whose flagged breaches are gone; nothing else: those that change no other sentence
worse              revisions that break a rule which the draft kept
`)
	return nil
}

func share(s stats.Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*s.Share)
}

func interval(s stats.Share) string { return fmt.Sprintf("%.1f–%.1f", 100*s.Low, 100*s.High) }
