package cli

import (
	"reflect"
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
)

// The flags of a command are the settings of its config, by the same names. Arguments are settings without a flag, and
// --json is a flag without a setting.
func TestFlagsAreSettings(t *testing.T) {
	for _, c := range []struct {
		command   *cobra.Command
		config    any
		arguments []string
	}{
		{newExportCommand(), app.ExportConfig{}, []string{"run"}},
		{newConstitutionLintCommand(), app.LintConfig{}, []string{"constitution"}},
		{newModelSynthCommand(), app.SynthConfig{}, nil},
		{newModelQuantizeCommand(), app.QuantizeConfig{}, []string{"model"}},
		{newModelTokensCommand(), app.TokensConfig{}, []string{"model", "set"}},
	} {
		want := slices.Clone(c.arguments)
		c.command.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "json" {
				want = append(want, f.Name)
			}
		})
		var got []string
		for name := range settings(reflect.ValueOf(c.config)) {
			got = append(got, name)
		}
		slices.Sort(want)
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%s: the settings are %v, flags and arguments %v", c.command.Name(), got, want)
		}
	}
}
