package cli

import (
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
)

// newEnv is what a command's use case needs of this process.
func newEnv(cmd *cobra.Command) (app.Env, error) {
	self, err := os.Executable()
	if err != nil {
		return app.Env{}, fmt.Errorf("finding amend's own file to start processes of it: %w", err)
	}
	return app.Env{
		Log: slog.New(newLogger(cmd.ErrOrStderr(), false)), Now: time.Now,
		Stdin: cmd.InOrStdin(), Stderr: cmd.ErrOrStderr(), Version: version, Self: []string{self},
	}, nil
}
