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

// Export writes what a training set holds and what was left out of it.
func Export(w io.Writer, c app.ExportConfig, r *export.Report) {
	read := "rows"
	if c.Labels {
		read = "pairs"
	}
	var examples []string
	for _, split := range slices.Sorted(maps.Keys(r.Examples)) {
		examples = append(examples, fmt.Sprintf("%d in %s", r.Examples[split], split))
	}
	Field(w, "examples", fmt.Sprintf("%s of %d %s", strings.Join(examples, ", "), r.Read, read))
	var left []string
	for _, why := range export.Reasons() {
		if n := r.LeftOut[why]; n > 0 {
			left = append(left, fmt.Sprintf("%d %s", n, why))
		}
	}
	if len(left) > 0 {
		Field(w, "left out", strings.Join(left, ", "))
	}
	if len(r.Files) == 0 {
		return // there is no set
	}
	Field(w, "files", fmt.Sprintf("%d in %s, %s bytes", len(r.Files), filepath.Join(c.Out, "data"), Grouped(int(r.Bytes))))
	Field(w, "card", filepath.Join(c.Out, "README.md"))
}
