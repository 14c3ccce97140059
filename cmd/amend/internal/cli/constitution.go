package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/constitution"
	"amend/engine/prompts"
)

// newConstitutionCommand is `amend constitution`, all that can be done with constitutions short of running them.
func newConstitutionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "constitution",
		Short: "List, show, check, compare and compose constitutions",
		Long: `List, show, check, compare and compose constitutions. Where a command takes several, they are layers:
each adds to those before it, changes their principles or switches them off, as with several --constitution
flags of amend run.`,
		Example: `  amend constitution ls
  amend constitution show echr --principle privacy
  amend constitution diff udhr banjul
  amend constitution compose udhr mine.yaml > composed.yaml
  amend constitution lint mine.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConstitutionLsCommand(), reading(newConstitutionShowCommand()), reading(newConstitutionLintCommand()),
		reading(newConstitutionDiffCommand()), reading(newConstitutionComposeCommand()), newConstitutionSchemaCommand())
	return cmd
}

func newConstitutionLsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Short:   "List the embedded constitutions",
		Example: "  amend constitution ls --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			type entry struct {
				Name       string   `json:"name"`
				Version    string   `json:"version"`
				Title      string   `json:"title"`
				Layers     []string `json:"layers"`
				Principles int      `json:"principles"`
			}
			entries := []entry{}
			for _, name := range constitution.Names() {
				doc, err := constitution.Load(name)
				if err != nil {
					return err
				}
				entries = append(entries, entry{name, doc.Version, doc.Title, render.LayerNames(doc), len(doc.Principles)})
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), map[string]any{"constitutions": entries})
			}
			tw := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "NAME\tPRINCIPLES\tLAYERS\tTITLE")
			for _, e := range entries {
				fmt.Fprintf(tw, "%s\t%d\t%s\t%s\n", e.Name, e.Principles, strings.Join(e.Layers, " "), e.Title)
			}
			return tw.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func newConstitutionShowCommand() *cobra.Command {
	var asJSON bool
	var id string
	cmd := &cobra.Command{
		Use:     "show CONSTITUTION...",
		Short:   "Show a constitution, or one of its principles and what each layer did to it",
		Example: "  amend constitution show hhh\n  amend constitution show udhr banjul --principle duties\n  amend constitution show hhh --json | jq '.principles[].id'",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := constitution.Load(args...)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if id == "" {
				if asJSON {
					return render.JSON(out, doc)
				}
				return render.Constitution(render.NewPage(out), doc)
			}
			p, err := findPrinciple(doc, id)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(out, p)
			}
			return render.Principle(render.NewPage(out), doc, p)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&id, "principle", "", "show this one alone, with its chain of layers")
	return cmd
}

// findPrinciple finds a principle, also one that is switched off.
func findPrinciple(doc *constitution.Document, id string) (constitution.Principle, error) {
	i := slices.IndexFunc(doc.Off, func(p constitution.Principle) bool { return p.ID == id })
	if i >= 0 {
		return doc.Off[i], nil
	}
	selected, err := doc.Select([]string{id})
	if err != nil {
		return constitution.Principle{}, err
	}
	if p, ok := selected.Principle(id); ok {
		return p, nil
	}
	return constitution.Principle{}, fmt.Errorf("%q is a tag; --principle takes the id of one principle", id)
}

func newConstitutionLintCommand() *cobra.Command {
	var asJSON bool
	var from string
	cmd := &cobra.Command{
		Use:   "lint CONSTITUTION...",
		Short: "Find what is valid and probably not meant",
		Long: `Find near-duplicates, principles that nothing can reach, requests and demonstrations too long for a small
context, and principles without a source. Exit code 2 when there is something.`,
		Example: "  amend constitution lint mine.yaml\n  amend constitution lint mine.yaml --prompts prompts.jsonl",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := constitution.Load(args...)
			if err != nil {
				return err
			}
			var tags []string
			if from != "" {
				set, err := prompts.Read(from, cmd.InOrStdin(), prompts.Options{})
				if err != nil {
					return err
				}
				tags = set.Tags()
			}
			findings := constitution.Lint(doc, tags)
			if asJSON {
				if findings == nil {
					findings = []constitution.Finding{}
				}
				err = render.JSON(cmd.OutOrStdout(), map[string]any{"findings": findings})
			} else {
				for _, f := range findings {
					fmt.Fprintln(cmd.OutOrStdout(), f)
				}
			}
			if err == nil && len(findings) > 0 {
				err = &exitError{code: exitUsage}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&from, "prompts", "", "prompts whose tags the principles are to be reached by")
	return cmd
}

func newConstitutionComposeCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "compose CONSTITUTION...",
		Short: "Print the document that layers make together, with the origin of every field",
		Long: `Print the document that layers make together: a YAML file that stands alone, with a comment behind each
field that names its layer and line.`,
		Example: "  amend constitution compose udhr banjul > composed.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := constitution.Load(args...)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), doc)
			}
			text, err := doc.YAML()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func newConstitutionSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of the format, for editors",
		Example: "  amend constitution schema > constitution.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), constitution.Schema())
			return err
		},
	}
}
