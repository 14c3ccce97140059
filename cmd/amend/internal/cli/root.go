package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/failure"
)

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
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return failure.Input(fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
	})
	root.AddCommand(newRunCommand(), newShowCommand(), newStatsCommand(), newEvalCommand(), newExportCommand(), newFeedbackCommand(), newPreferCommand(), newVerifyCommand(), newModelCommand(), newConstitutionCommand(), newDataCommand(), newDoctorCommand(), newBenchCommand(), newVersionCommand(b), newWorkerCommand())
	for _, c := range root.Commands() {
		userErrors(c)
	}
	return root
}

// userErrors makes wrong arguments a usage error in a command and those below
// it.
func userErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return failure.Input(check(cmd, args)) }
	}
	for _, c := range cmd.Commands() {
		userErrors(c)
	}
}
