package revise

import "amend/engine/check"

// Kind is the part that a turn plays in the loop.
type Kind = check.Kind

// The kinds of turns a model writes.
const (
	Response = check.Response
	Critique = check.Critique
	Revision = check.Revision
)
