package models

import "slices"

// Inexact are those of some tensor types, by their names, of which no measurement says that a CPU computes one row as it
// computes many (docs/design/exactness.md): what a model of such weights writes may depend on the rows beside.
func Inexact(types []string) []string {
	exact := []string{"F32", "F16", "Q8_0", "Q4_0", "Q4_1", "Q5_K", "Q6_K"}
	return slices.DeleteFunc(slices.Clone(types), func(t string) bool { return slices.Contains(exact, t) })
}
