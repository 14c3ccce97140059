package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

// newVersionCommand is `amend version`, which prints versions.
func newVersionCommand(b Build) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of amend and llama.cpp, and the CPU features in use",
		Long: `Print amend's version, the version and source of the llama.cpp that it runs on, and the features of this CPU that
llama.cpp's kernels use. amend --version prints amend's alone.`,
		Example: "  amend version\n  amend version --json | jq -r .llama_cpp.version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			report, err := app.Version(env, b.LlamaTree)
			if asJSON {
				return cmp.Or(render.JSON(cmd.OutOrStdout(), report), err)
			}
			return cmp.Or(render.Version(cmd.OutOrStdout(), report), err)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
