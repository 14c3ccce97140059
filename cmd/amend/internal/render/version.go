package render

import (
	"fmt"
	"io"
	"strings"

	"amend/cmd/amend/internal/app"
)

// Version writes what amend is made of.
func Version(w io.Writer, v app.VersionReport) error {
	llama := v.LlamaCpp.Version
	if v.LlamaCpp.Tree != "" {
		llama += ", tree " + v.LlamaCpp.Tree
	}
	if _, err := fmt.Fprintf(w, "%-*s%s\n%-*s%s\n", LabelWidth, "amend", v.Amend, LabelWidth, "llama.cpp", llama); err != nil {
		return err
	}
	Field(w, "cpu", OrNone(strings.Join(v.CPUFeatures, " ")))
	return nil
}
