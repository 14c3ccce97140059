package render

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/engine/export"
)

// Export writes what a training set holds and what was left out of it. program is how amend is called in commands to copy.
func Export(w io.Writer, c app.ExportConfig, r *export.Report, program string) {
	if r.Empty() {
		noExport(w, c, r, program)
		return
	}
	var examples []string
	for _, split := range slices.Sorted(maps.Keys(r.Examples)) {
		examples = append(examples, fmt.Sprintf("%d in %s", r.Examples[split], split))
	}
	exported(w, c, r)
	Field(w, "examples", strings.Join(examples, ", "))
	if first := firstResponses(r.First); first != "" {
		Field(w, "answers", fmt.Sprintf("%s; first responses: %s", counted(r.Changed, "revision"), first))
	}
	Field(w, "files", fmt.Sprintf("%d in %s, %s bytes", len(r.Files), filepath.Join(c.Out, "data"), Grouped(int(r.Bytes))))
	Field(w, "card", filepath.Join(c.Out, "README.md"))
}

// exported writes how many rows or pairs gave examples, and why the others did not.
func exported(w io.Writer, c app.ExportConfig, r *export.Report) {
	read := "rows"
	if c.Labels {
		read = "pairs"
	}
	text, left := fmt.Sprintf("%s: %s exported", Grouped(r.Read), Grouped(r.Taken)), r.Read-r.Taken
	if left == 0 {
		Field(w, read, text)
		return
	}
	Field(w, read, fmt.Sprintf("%s, %s left out: %s", text, Grouped(left), leftOut(r.LeftOut, r.Flags)))
	Field(w, "", onlyReason)
}

// firstResponses says how many first responses are in a set, and why.
func firstResponses(f export.FirstResponses) string {
	var parts []string
	for _, c := range []struct {
		n   int
		why string
	}{{f.Clean, "found clean"}, {f.Kept, "kept though no revision passed"}, {f.NotTried, "of a run without revisions"}} {
		if c.n > 0 {
			parts = append(parts, Grouped(c.n)+" "+c.why)
		}
	}
	return strings.Join(parts, ", ")
}

// noExport says why there is no training set, and what would help.
func noExport(w io.Writer, c app.ExportConfig, r *export.Report, program string) {
	if len(r.LeftOut) == 0 {
		Field(w, "examples", "none: the run has no finished row")
		forMore(w, program, []string{program + " run --out " + c.Run + " continues it"})
		return
	}
	exported(w, c, r)
	Field(w, "examples", "none for "+string(r.Format))
	forMore(w, program, advice(program, c.Run, r.LeftOut, r.Flags))
}
