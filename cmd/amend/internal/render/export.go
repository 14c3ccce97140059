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
	read := "rows"
	if c.Labels {
		read = "pairs"
	}
	var examples []string
	for _, split := range slices.Sorted(maps.Keys(r.Examples)) {
		examples = append(examples, fmt.Sprintf("%d in %s", r.Examples[split], split))
	}
	Field(w, "examples", fmt.Sprintf("%s of %d %s", strings.Join(examples, ", "), r.Read, read))
	if len(r.LeftOut) > 0 {
		Field(w, "left out", leftOut(r.LeftOut, r.Flags))
	}
	Field(w, "files", fmt.Sprintf("%d in %s, %s bytes", len(r.Files), filepath.Join(c.Out, "data"), Grouped(int(r.Bytes))))
	Field(w, "card", filepath.Join(c.Out, "README.md"))
}

// noExport says why there is no training set, and what would help.
func noExport(w io.Writer, c app.ExportConfig, r *export.Report, program string) {
	if len(r.LeftOut) == 0 {
		Field(w, "examples", "none: the run has no finished row")
		Field(w, "for more", program+" run --out "+c.Run+" continues it")
		return
	}
	Field(w, "examples", "none for "+string(r.Format))
	Field(w, "left out", leftOut(r.LeftOut, r.Flags))
	label := "for more"
	for _, a := range advice(program, c.Run, r.LeftOut, r.Flags) {
		Field(w, label, a)
		label = ""
	}
}
