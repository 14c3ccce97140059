package revise

import "fmt"

// Rows gives out the rows of a slice in order, as Loop.Run takes them. Each
// call starts again; the slice is only read.
func Rows(rows []Row) func() (Row, bool) {
	return func() (Row, bool) {
		if len(rows) == 0 {
			return Row{}, false
		}
		r := rows[0]
		rows = rows[1:]
		return r, true
	}
}

// Samples makes several rows of each: they differ in their ids, and so in all that is drawn for them. The rows of one
// input follow each other, so that they fork from what they have in common. With 1 the rows stay as they are.
func Samples(rows []Row, several int) []Row {
	if several <= 1 {
		return rows
	}
	out := make([]Row, 0, len(rows)*several)
	for _, r := range rows {
		of := r.ID
		for n := range several {
			r.ID, r.Index, r.Sample = fmt.Sprintf("%s~%d", of, n+1), len(out), &Sample{of, n + 1}
			out = append(out, r)
		}
	}
	return out
}
