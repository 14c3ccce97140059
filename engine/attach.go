package engine

import "math"

// AttachCosts is what decode steps of some rows took behind two preambles, one
// short, one longer, in seconds: rows holding copies of it, and reading it
// attached (Backend.Attach).
type AttachCosts struct {
	Rows     int        `json:"rows"`
	Tokens   [2]int     `json:"tokens"` // of the preambles
	Copied   [2]float64 `json:"copied_s"`
	Attached [2]float64 `json:"attached_s"`
}

// Worth is the shortest preamble that pays to be read in common: what is saved
// is taken to grow with its length as between the two that were measured.
func (c AttachCosts) Worth() int {
	at := [2]float64{float64(c.Tokens[0]), float64(c.Tokens[1])}
	saved := [2]float64{c.Copied[0] - c.Attached[0], c.Copied[1] - c.Attached[1]}
	grows := (saved[1] - saved[0]) / (at[1] - at[0])
	if grows <= 0 {
		if saved[1] > 0 {
			return 1
		}
		return math.MaxInt
	}
	return int(max(1, math.Ceil(at[0]-saved[0]/grows)))
}
