package cli

import (
	"reflect"
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/engine/revise"
)

// ofCommands are flags that say what one command does, and how it speaks: they are no settings.
func ofCommands() []string {
	return []string{"json", "progress", "verbose", "config", "like", "plan", "redo", "retry-failed", "report"}
}

// The flags of a command are the settings of its config, by the same names. Arguments are settings without a flag.
func TestFlagsAreSettings(t *testing.T) {
	for _, c := range []struct {
		command   *cobra.Command
		config    any
		arguments []string
	}{
		{newRunCommand(), app.RunConfig{}, nil},
		{newFeedbackCommand(), app.FeedbackConfig{}, []string{"run"}},
		{newEvalCommand(), app.EvaluateConfig{}, []string{"file"}},
		{newEvalCommand(), app.EvaluateRunConfig{}, []string{"run"}},
		{newPreferTrainCommand(), app.TrainPreferenceConfig{}, []string{"dir"}},
		{newPreferScoreCommand(), app.ScoreConfig{}, []string{"preference"}},
		{newPreferBestCommand(), app.BestConfig{}, []string{"run"}},
		{newExportCommand(), app.ExportConfig{}, []string{"run"}},
		{newConstitutionLintCommand(), app.LintConfig{}, []string{"constitution"}},
		{newModelSynthCommand(), app.SynthConfig{}, nil},
		{newModelQuantizeCommand(), app.QuantizeConfig{}, []string{"model"}},
		{newModelTokensCommand(), app.TokensConfig{}, []string{"model", "set"}},
	} {
		want := slices.Clone(c.arguments)
		other := otherSettings(c.config)
		c.command.Flags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(ofCommands(), f.Name) && !slices.Contains(other, f.Name) {
				want = append(want, f.Name)
			}
		})
		var got []string
		for name := range app.Settings(reflect.ValueOf(c.config)) {
			got = append(got, name)
		}
		slices.Sort(want)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: the settings are %v, flags and arguments %v", c.command.Name(), got, want)
		}
	}
}

// A short flag means the same in all commands, and every flag of that name has it.
func TestShortFlags(t *testing.T) {
	short := map[string]string{"model": "m", "constitution": "c", "prompts": "p", "out": "o", "limit": "n", "help": "h", "version": "v"}
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand != short[f.Name] {
				t.Errorf("%s: --%s is -%s, want -%s", cmd.CommandPath(), f.Name, f.Shorthand, short[f.Name])
			}
		})
		for _, c := range cmd.Commands() {
			check(c)
		}
	}
	check(newRootCommand(Build{}))
}

// The groups of run's help have every flag.
func TestGroupsHaveEveryFlag(t *testing.T) {
	var o runFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	groups := o.addFlags(f)
	f.VisitAll(func(flag *pflag.Flag) {
		if !slices.ContainsFunc(groups, func(g flagGroup) bool { return g.flags.Lookup(flag.Name) != nil }) {
			t.Errorf("--%s is in no group", flag.Name)
		}
	})
}

// otherSettings are flags of the same command that are settings of its other config.
func otherSettings(config any) []string {
	switch config.(type) {
	case app.EvaluateConfig:
		return []string{"against", "judge", "constitution", "draws", "seed", "untested", "preference"}
	case app.EvaluateRunConfig:
		return []string{"set", "lora", "max-tokens"}
	}
	return nil
}

// A flag that is given counts, also with the default's value: it wins over what else says.
func TestGivenFlagsCount(t *testing.T) {
	var o runFlags
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.addFlags(f)
	if err := f.Parse([]string{"--temperature", "0.7", "--few-shots=critique", "--limit=0", "--gate=false", "--kv", "auto", "--constitution", "hhh"}); err != nil {
		t.Fatal(err)
	}
	c := app.DefaultRunConfig()
	c.Sampling.Temperature, c.Demonstrations, c.Limit, c.Gate.On, c.Context.KV, c.Constitution, c.Seed = 0.5, revise.BeforeNone, 4, true, "unified", []string{"a", "b"}, 7
	overlay(&c, &o.RunConfig, f)
	want := app.DefaultRunConfig()
	want.Constitution, want.Seed = []string{"hhh"}, 7
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c, want)
	}
}
