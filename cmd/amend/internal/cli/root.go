package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"amend/engine/llama"
)

// newRootCommand is the whole command line.
func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "amend",
		Short: "Make alignment data on this machine: critique and revision under a constitution, offline",
		Long: `amend runs Constitutional AI on a GGUF model on this machine: it answers prompts,
criticises each answer under a principle, revises it, and writes the revisions as a
training set; it labels pairs of answers by AI feedback, and trains a preference model
on the labels. It never opens a network connection.`,
		Example: `  amend run --model smollm2 --constitution hhh --prompts examples/prompts.jsonl --out runs/first
  amend show runs/first
  amend feedback runs/first --draws 3 --report
  amend doctor`,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath()))
	})
	root.AddCommand(newRunCommand(), newShowCommand(), newStatsCommand(), newEvalCommand(), newExportCommand(), newFeedbackCommand(), newPreferCommand(), newVerifyCommand(), newModelCommand(quantize), newConstitutionCommand(), newDoctorCommand(), newBenchCommand(), newTemplateWorkerCommand())
	for _, c := range root.Commands() {
		userErrors(c)
	}
	return root
}

// userErrors makes wrong arguments a usage error in a command and those below
// it.
func userErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return usage(check(cmd, args)) }
	}
	for _, c := range cmd.Commands() {
		userErrors(c)
	}
}

// templateWorker is the hidden command of the process that renders chat
// templates: one that does not end can be killed there.
const templateWorker = "template-worker"

func newTemplateWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use: templateWorker, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return llama.TemplateWorker(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// templateWorkerArgs is how to start that process.
func templateWorkerArgs() ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding amend's own file to start the template process: %w", err)
	}
	return []string{self, templateWorker}, nil
}

// quantize is `amend model quantize`'s work: the one thing about model files
// that needs llama.cpp.
func quantize(_ context.Context, in, out, fileType string, threads int) error {
	t, err := llama.ParseFileType(fileType)
	if err != nil {
		return usage(err)
	}
	return llama.Quantize(in, out, llama.QuantizeParams{FileType: t, Threads: threads, AllowRequantize: true})
}
