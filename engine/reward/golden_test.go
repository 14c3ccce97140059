package reward

import (
	"fmt"
	"testing"

	"amend/engine"
	"amend/engine/enginetest/golden"
)

// TestGoldenKeys pins the keys under which hidden states are kept.
func TestGoldenKeys(t *testing.T) {
	golden.Check(t, "keys", []string{
		fmt.Sprintf("states: %x", NewKey("a model", []engine.Token{5, 1, 70000}, 2)),
		fmt.Sprintf("no states: %x", NewKey("", nil, 0)),
	})
}
