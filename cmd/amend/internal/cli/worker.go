package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
)

// newWorkerCommand is the hidden command of processes that amend starts itself.
func newWorkerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: app.WorkerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			return env.Worker(cmd.Context())
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use: app.TemplateWorker, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.RenderTemplates(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	})
	return cmd
}
