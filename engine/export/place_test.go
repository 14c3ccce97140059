package export

import (
	"amend/engine/chat"
	"fmt"
	"testing"
)

// TestPlace pins where prompts fall: sets that were made by an older version share no test prompt with those of this one.
func TestPlace(t *testing.T) {
	part, test := place([]chat.Message{{Role: "system", Text: "Be brief."}, {Role: "user", Text: "Where?"}})
	if got, want := fmt.Sprintf("%v %v", part, test), "0.5508793677980289 0.9305856763552813"; got != want {
		t.Errorf("place is %s, want %s", got, want)
	}
}
