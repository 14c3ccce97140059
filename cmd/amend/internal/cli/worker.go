package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/runner"
)

// newWorkerCommand is the hidden command of the processes that amend starts from its own file.
func newWorkerCommand() *cobra.Command {
	cmd := &cobra.Command{Use: app.WorkerCommand, Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(&cobra.Command{
		Use: app.TemplateWorker, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runner.TemplateWorker(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	})
	return cmd
}
