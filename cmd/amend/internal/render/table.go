package render

import (
	"io"
	"strings"
	"text/tabwriter"
)

// gap is the number of spaces between columns.
const gap = 2

// Table writes rows of cells in columns. The last column is not padded. Page.Table is for cells with text of users and
// models, which may be wide or long.
func Table(w io.Writer, rows [][]string) error {
	return table(w, 0, rows, "\n")
}

// RightTable is Table with all cells at the right of their columns, for numbers.
func RightTable(w io.Writer, rows [][]string) error {
	return table(w, tabwriter.AlignRight, rows, "\t\n") // a cell that ends belongs to a column
}

func table(w io.Writer, flags uint, rows [][]string, end string) error {
	tw := tabwriter.NewWriter(w, 0, 0, gap, ' ', flags)
	for _, row := range rows {
		if _, err := io.WriteString(tw, strings.Join(row, "\t")+end); err != nil {
			return err
		}
	}
	return tw.Flush()
}
