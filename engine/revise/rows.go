package revise

// Rows gives out the rows of a slice in order, as Loop.Run takes them. Each
// call starts anew; the slice is only read.
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
