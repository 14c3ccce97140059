package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
)

func newDoctorCommand() *cobra.Command {
	var c app.DoctorConfig
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show what this machine has, and what would make it faster",
		Long: `Show the devices and CPU features that llama.cpp uses, the models on this machine, and what is missing.
--measure times weights of each type on a small model of random weights, which takes about a minute. Its
shapes and vocabulary are those of SmolLM2-135M, which make models fetches. --model says how rows of that
model would run here, how long 100 of them would take, and whether it is a judge: it answers cases whose
answer is known, once, in up to three minutes for a model of 1.5B on two cores.`,
		Example: "  amend doctor\n  amend doctor --measure --json\n  amend doctor --model big.gguf",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			h, err := app.Doctor(cmd.Context(), env, c)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), h)
			}
			return render.Health(cmd.OutOrStdout(), h)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	f.StringVarP(&c.Model, "model", "m", "", "also say how rows of this GGUF model would run: a path, smollm2, or a name that amend model ls shows")
	f.BoolVar(&c.Measure, "measure", false, "time weights of each type on this machine")
	return cmd
}
