package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/failure"
	"amend/engine/nearest"
)

// flagError is the error for flags that cannot be read. It names the nearest of the command's flags.
func flagError(cmd *cobra.Command, err error) error {
	hint := ""
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) && len(unknown.GetSpecifiedName()) > 1 {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		hint = nearestOf(unknown.GetSpecifiedName(), names, "--")
	}
	return failure.Inputf("%w%s (see %s --help)", err, hint, cmd.CommandPath())
}

// onlyCommands are the arguments of a command that only has others below it. It names the nearest of them.
func onlyCommands(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("%s has no command %s%s (see %s --help)", cmd.CommandPath(), strconv.Quote(args[0]), nearestOf(args[0], names, ""), cmd.CommandPath())
}

// userErrors makes wrong arguments a usage error in a command and those below it, and has it say how the command is called.
func userErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error { return argumentError(cmd, args, check(cmd, args)) }
	}
	for _, c := range cmd.Commands() {
		userErrors(c)
	}
}

// argumentError is the error for the wrong number of arguments.
func argumentError(cmd *cobra.Command, args []string, err error) error {
	switch {
	case err == nil:
		return nil
	case cmd.HasSubCommands():
		return failure.Input(err)
	case len(args) > 0 && !strings.Contains(cmd.Use, " "):
		return failure.Inputf("%s takes no argument, and got %q: settings are flags (see %s --help)", cmd.CommandPath(), args[0], cmd.CommandPath())
	}
	return failure.Inputf("%w: %s (see --help)", err, strings.TrimSuffix(cmd.UseLine(), " [flags]"))
}

// nearestOf names what a mistyped name may have meant.
func nearestOf(name string, names []string, prefix string) string {
	near := nearest.Names(name, names)
	if len(near) == 0 {
		return ""
	}
	return "; the nearest are " + prefix + strings.Join(near, ", "+prefix)
}
