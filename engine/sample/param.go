package sample

import "fmt"

// ParamError says that a setting has a value that it cannot have. Who knows the
// setting by another name, such as that of a flag, writes Param its own way.
type ParamError struct {
	Param string // the setting: "top-p"
	Value any    // what it is
	Want  string // what it must be: "must be from 0 to 1"
}

// Error gives the setting, its value and what it must be.
func (e *ParamError) Error() string { return fmt.Sprintf("%s %v: %s", e.Param, e.Value, e.Want) }
