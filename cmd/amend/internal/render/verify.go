package render

import (
	"io"

	"amend/cmd/amend/internal/app"
)

// Verify writes a line for each part that was compared.
func Verify(w io.Writer, r app.VerifyReport) error {
	var rows [][]string
	for _, c := range r.Checks {
		rows = append(rows, []string{c.What, string(c.State), c.Detail})
	}
	return Table(w, rows)
}
