package constitution

import (
	"fmt"
	"strings"
)

// Problem is one fault in a document, at a place counted from 1. Line 0 stands for the file as a whole.
type Problem struct {
	File    string
	Line    int
	Column  int
	Message string
}

// Error returns file:line:column: message.
func (p Problem) Error() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems is every fault found in a document, in the order of their places in it.
type Problems []Problem

// Error returns the faults, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}
