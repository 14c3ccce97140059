package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine/check"
	"amend/engine/evalset"
	"amend/engine/export"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models"
)

// complete has shells offer values for the flags of a command and those below it.
func complete(cmd *cobra.Command) {
	values := flagValues()
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if offer, ok := values[f.Name]; ok && f.Value.Type() != "bool" && f.Value.Type() != "int" {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, offer) // the flag is there, and is registered once
		}
	})
	for _, c := range cmd.Commands() {
		complete(c)
	}
}

// flagValues are what flags take, by their names: these mean the same in all commands.
func flagValues() map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"model": completeModel, "critic": completeModel, "judge": completeModel, "tokenizer": completeModel,
		"constitution": completeConstitution, "principles": completePrinciple, "principle": completePrinciple,
		"progress": oneOf([]string{render.ProgressAuto, render.ProgressPlain, render.ProgressNone}),
		"mode":     oneOf(revise.Modes()), "flag": oneOf(check.Flags()),
		"chat": oneOf([]string{runner.ChatTemplate, runner.ChatPlain}), "kv": oneOf(runner.Layouts()), "kv-type": oneOf(runner.KVTypes()),
		"format": oneOf(export.Formats()), "to": oneOf(export.Encodings()), "set": oneOf(evalset.Sets()),
		"layout": oneOf(feedback.PromptOrders()), "pairing": oneOf([]app.Pairing{app.PairNeighbours, app.PairFirst}),
		"labels": oneOf(app.LabelSources()), "type": oneOf(models.Quantizations()), "quant": oneOf(models.Quantizations()),
		"shape": oneOf(shapeNames()), "like": completeRun, "against": completeRun,
	}
}

// oneOf offers some values and no files.
func oneOf[T ~string](values []T) cobra.CompletionFunc {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = string(v)
	}
	return cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)
}

func shapeNames() (names []string) {
	for _, s := range models.Shapes() {
		names = append(names, s.Name)
	}
	return names
}

// completeModel offers the models at hand, and files.
func completeModel(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return beginning(app.ModelNames(), begun), cobra.ShellCompDirectiveDefault
}

// completeConstitution offers the embedded constitutions, and files.
func completeConstitution(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	return beginning(constitution.Names(), begun), cobra.ShellCompDirectiveDefault
}

// completePrinciple offers the principles of the constitutions that are given, or of the run.
func completePrinciple(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	layers, err := cmd.Flags().GetStringArray("constitution")
	if model, _ := cmd.Flags().GetString("model"); err == nil && len(layers) == 0 {
		layers = []string{app.DefaultConstitution(model)}
	}
	if err != nil { // without that flag, arguments name them
		layers = args
	}
	if len(args) > 0 && cmd.Flags().Lookup("round") != nil { // of a run
		layers = []string{filepath.Join(args[0], runstore.ConstitutionFile)}
	}
	doc, err := app.Constitution(layers...)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	done := begun[:strings.LastIndexByte(begun, ',')+1] // of a list, what is there
	var ids []string
	for _, p := range doc.Principles {
		ids = append(ids, done+p.ID)
	}
	return beginning(ids, begun), cobra.ShellCompDirectiveNoFileComp
}

// completeRun offers folders.
func completeRun(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// first offers values for the first argument alone.
func first(offer cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(cmd, args, begun)
	}
}

// completeRow offers a folder, and then the ids of its rows with the beginning of what they ask.
func completeRow(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return completeRun(cmd, args, begun)
	}
	run, err := app.ReadRun(cmd.Context(), args[0])
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	const most = 200 // rows
	var ids []string
	for rec, err := range run.Rows {
		if err != nil || len(ids) == most {
			break
		}
		if strings.HasPrefix(rec.ID, begun) {
			ids = append(ids, cobra.CompletionWithDesc(rec.ID, render.PromptStart(rec, render.DefaultWidth/2)))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// beginning are the names that begin as typed.
func beginning(names []string, begun string) (out []string) {
	for _, n := range names {
		if strings.HasPrefix(n, begun) {
			out = append(out, n)
		}
	}
	return out
}
