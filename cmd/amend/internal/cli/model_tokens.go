package cli

import (
	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/app"
)

func newModelTokensCommand() *cobra.Command {
	c := app.DefaultTokensConfig()
	cmd := &cobra.Command{
		Use:   "tokens MODEL SET",
		Short: "Write a training set as the token ids that amend makes of it",
		Long: `Write the rows of a training set as token ids: the prompt as the model's template writes it, up to where the answer
begins, and each answer with the token that ends it. SET is a folder that amend export wrote as JSONL, or one such
file. A model that is trained on these ids is trained on what amend will ask it.`,
		Example: "  amend model tokens smollm2 sets/sft > sft.jsonl\n  amend model tokens big.gguf sets/dpo > dpo.jsonl",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := newEnv(cmd)
			if err != nil {
				return err
			}
			c.Model, c.Set = args[0], args[1]
			return app.Tokens(cmd.Context(), env, c, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Chat, "chat", c.Chat, "how conversations are written: template (the model's own) or plain (Human:/Assistant:, for base models)")
	f.StringVar(&c.Template, "template", c.Template, "file with a chat template to use instead of the model's: Jinja, or JSON that holds it, such as tokenizer_config.json")
	return cmd
}
