package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine/prompts"
	"amend/engine/runstore"
	"amend/models"
)

// checkState is what a check found.
type checkState string

const (
	asRecorded checkState = "as recorded"
	another    checkState = "another"  // than the manifest says: a failure
	notHere    checkState = "not here" // so it could not be compared
)

// runCheck is one thing that amend verify looked at.
type runCheck struct {
	What   string     `json:"what"`
	State  checkState `json:"state"`
	Detail string     `json:"detail,omitempty"`
}

// newVerifyCommand is `amend verify`, which checks a run against its manifest.
func newVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a run against its manifest, offline",
		Long: `Check a run: the database and every row in it, revisions.jsonl against the rows, every label of amend feedback, and model, constitution and
prompts against the hashes in the manifest, as far as these files are here; and the run of its first responses, where those were
made by another model or adapter. Exit code 2 when something differs.`,
		Example: "  amend verify runs/first\n  amend verify runs/first --json | jq '.checks[] | select(.state != \"as recorded\")'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			checks, err := verifyRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			failed := false
			for _, c := range checks {
				failed = failed || c.State == another
			}
			if asJSON {
				err = render.JSON(cmd.OutOrStdout(), map[string]any{"ok": !failed, "checks": checks})
			} else {
				err = printChecks(cmd.OutOrStdout(), checks)
			}
			if err == nil && failed {
				err = &exitError{code: exitUsage}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func verifyRun(ctx context.Context, dir string) ([]runCheck, error) {
	m, _, err := runstore.Read(dir)
	if err != nil {
		return nil, err
	}
	checks := []runCheck{}
	for _, check := range []func(context.Context, string, runstore.Manifest) (runCheck, error){
		checkRows, checkRevisions, checkLabels, checkModel, checkAdapter, checkConstitution, checkPrompts,
	} {
		c, err := check(ctx, dir, m)
		if err != nil {
			return nil, err
		}
		if c.What != "" {
			checks = append(checks, c)
		}
	}
	if m.Results.Responses == "" {
		return checks, nil
	}
	more, err := verifyResponses(ctx, filepath.Join(dir, runstore.ResponsesDir), m.Results.Responses)
	return append(checks, more...), err
}

// verifyResponses checks the run of the first responses that a staged run went on from.
func verifyResponses(ctx context.Context, dir, recorded string) ([]runCheck, error) {
	m, _, err := runstore.Read(dir)
	if errors.Is(err, runstore.ErrNotARun) {
		return []runCheck{{"responses", notHere, dir}}, nil
	}
	if err != nil {
		return nil, err
	}
	made, err := m.Results.Hash()
	if err != nil {
		return nil, err
	}
	first := runCheck{"responses", asRecorded, dir}
	if made != recorded {
		first = runCheck{"responses", another, dir + " was made with other settings than those that the run went on from"}
	}
	rest, err := verifyRun(ctx, dir)
	for i := range rest {
		rest[i].What = "responses' " + rest[i].What
	}
	return append([]runCheck{first}, rest...), err
}

// checkRows has SQLite look through the database, and reads every row.
func checkRows(_ context.Context, dir string, m runstore.Manifest) (runCheck, error) {
	n, err := runstore.Check(dir)
	if err != nil {
		return runCheck{"rows", another, err.Error()}, nil
	}
	return runCheck{"rows", asRecorded, fmt.Sprintf("%d of %d", n, m.Setup.Rows)}, nil
}

func checkRevisions(_ context.Context, dir string, _ runstore.Manifest) (runCheck, error) {
	same, err := runstore.CheckRevisions(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return runCheck{"revisions", notHere, "a run writes them when all rows are done"}, nil
	case err != nil:
		return runCheck{}, err
	case !same:
		return runCheck{"revisions", another, "not what the rows give: the file was edited, or rows were done after it was written"}, nil
	}
	return runCheck{"revisions", asRecorded, "what the rows give"}, nil
}

// checkLabels reads every label of amend feedback, where there are some.
func checkLabels(_ context.Context, dir string, _ runstore.Manifest) (runCheck, error) {
	done, asked, err := runstore.CheckFeedback(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return runCheck{}, nil
	case err != nil:
		return runCheck{"labels", another, err.Error()}, nil
	}
	return runCheck{"labels", asRecorded, fmt.Sprintf("%d of %d", done, asked)}, nil
}

func checkModel(ctx context.Context, _ string, m runstore.Manifest) (runCheck, error) {
	return checkFile(ctx, "model", m.Setup.Model, m.Results.ModelSHA256, resolveModel)
}

// checkAdapter is of the adapter, where there was one.
func checkAdapter(ctx context.Context, _ string, m runstore.Manifest) (runCheck, error) {
	if m.Setup.LoRA == "" {
		return runCheck{}, nil
	}
	return checkFile(ctx, "adapter", m.Setup.LoRA, m.Results.LoRASHA256, models.Open)
}

// checkFile compares a GGUF with the hash that was recorded.
func checkFile(ctx context.Context, what, path, recorded string, open func(string) (*models.Model, error)) (runCheck, error) {
	file, err := open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return runCheck{what, notHere, path}, nil
	}
	if err != nil {
		return runCheck{}, err
	}
	sum, err := file.SHA256(ctx)
	if err != nil {
		return runCheck{}, err
	}
	return compared(what, path, recorded, sum), nil
}

func checkConstitution(_ context.Context, dir string, m runstore.Manifest) (runCheck, error) {
	path := filepath.Join(dir, runstore.ConstitutionFile)
	doc, err := constitutionOf(dir, m)
	if errors.Is(err, fs.ErrNotExist) {
		return runCheck{"constitution", notHere, path}, nil
	}
	if err != nil {
		return runCheck{"constitution", another, err.Error()}, nil
	}
	return compared("constitution", path, m.Results.ConstitutionSHA256, doc.Hash()), nil
}

func checkPrompts(_ context.Context, _ string, m runstore.Manifest) (runCheck, error) {
	if m.Setup.Prompts == "-" {
		return runCheck{"prompts", notHere, "they came through standard input"}, nil
	}
	set, err := prompts.Read(m.Setup.Prompts, nil, prompts.Options{FromResponses: m.Results.FromResponses, Limit: m.Setup.Limit})
	if err != nil {
		return runCheck{"prompts", notHere, err.Error()}, nil
	}
	return compared("prompts", m.Setup.Prompts, m.Results.PromptsSHA256, set.SHA256), nil
}

func compared(what, path, recorded, found string) runCheck {
	if recorded != found {
		return runCheck{what, another, fmt.Sprintf("%s has sha256 %s, the run was made with %s", path, found, recorded)}
	}
	return runCheck{what, asRecorded, path}
}

func printChecks(w io.Writer, checks []runCheck) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range checks {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", c.What, c.State, c.Detail)
	}
	return tw.Flush()
}
