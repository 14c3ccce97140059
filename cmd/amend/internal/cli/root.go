package cli

import "github.com/spf13/cobra"

// newRootCommand is the whole command line.
func newRootCommand(b Build) *cobra.Command {
	root := &cobra.Command{
		Use:   "amend",
		Short: "Make alignment data on this machine: critique and revision under a constitution, offline",
		Long: `amend runs Constitutional AI on a GGUF model on this machine. It answers prompts,
criticises each answer under a principle, revises it, and writes the revisions as a
training set. It labels pairs of answers by AI feedback, and trains a preference model
on the labels. It works offline: only bench --peer-url opens a network connection.`,
		Example: `  amend run --model smollm2 --constitution hhh --prompts examples/prompts.jsonl --out runs/first
  amend show runs/first
  amend feedback runs/first --draws 3 --report
  amend doctor`,
		Version:       b.String(),
		Args:          onlyCommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.AddCommand(newRunCommand(), newTryCommand(), newShowCommand(), newStatsCommand(), newEvalCommand(), newExportCommand(), newFeedbackCommand(), newPreferCommand(), newVerifyCommand(), newModelCommand(), newConstitutionCommand(), newDataCommand(), newDoctorCommand(), newBenchCommand(), newVersionCommand(b), newWorkerCommand())
	userErrors(root)
	complete(root)
	return root
}
