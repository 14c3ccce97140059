package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/render"
)

// flagGroup is a part of a command's flags, as its help shows them.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// flagGroups are a command's flags in groups, in the order of its help.
type flagGroups []flagGroup

// in begins a group, to which flags can be added.
func (g *flagGroups) in(title string) *pflag.FlagSet {
	f := pflag.NewFlagSet(title, pflag.ContinueOnError)
	f.SortFlags = false
	*g = append(*g, flagGroup{title, f})
	return f
}

// addTo adds the flags of all groups to those of a command.
func (g flagGroups) addTo(f *pflag.FlagSet) {
	for _, group := range g {
		f.AddFlagSet(group.flags)
	}
}

// usage makes the help of a command show its flags in these groups.
func (g flagGroups) usage(cmd *cobra.Command) error {
	return writeUsage(cmd, g)
}

// usage writes how a command is called, within the width of a report.
func usage(cmd *cobra.Command) error {
	return writeUsage(cmd, flagGroups{{"Flags", cmd.LocalFlags()}})
}

func writeUsage(cmd *cobra.Command, groups flagGroups) error {
	var b strings.Builder
	b.WriteString("Usage:\n")
	if cmd.Runnable() && (!cmd.HasAvailableSubCommands() || strings.Contains(cmd.Use, " ")) { // others only show their help
		b.WriteString("  " + cmd.UseLine() + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("  " + cmd.CommandPath() + " [command]\n")
	}
	if cmd.HasExample() {
		b.WriteString("\nExamples:\n" + cmd.Example + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() || c.Name() == "help" {
				fmt.Fprintf(&b, "  %-*s %s\n", c.NamePadding(), c.Name(), c.Short)
			}
		}
	}
	if h := cmd.Flags().Lookup("help"); h != nil && !slices.ContainsFunc(groups, func(g flagGroup) bool { return g.flags.Lookup(h.Name) != nil }) {
		groups[len(groups)-1].flags.AddFlag(h)
	}
	for _, g := range groups {
		if g.flags.HasAvailableFlags() {
			fmt.Fprintf(&b, "\n%s:\n%s", g.title, g.flags.FlagUsagesWrapped(render.DefaultWidth))
		}
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&b, "\n%s [command] --help says more about a command.\n", cmd.CommandPath())
	}
	_, err := io.WriteString(cmd.OutOrStderr(), b.String())
	return err
}
