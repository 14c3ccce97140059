package export

import (
	"math"
	"testing"

	"amend/engine/chat"
)

// TestPlace pins where prompts fall: sets that were made by an older version share no test prompt with those of this one.
func TestPlace(t *testing.T) {
	p := place([]chat.Message{{Role: "system", Text: "Be brief."}, {Role: "user", Text: "Where?"}})
	const test = 0.9305856763552813 // and 0.5508793677980289 for the part
	if p.FirstPart() || p.HeldOut(test) || !p.HeldOut(math.Nextafter(test, 1)) {
		t.Errorf("first part %v, held out %v and %v", p.FirstPart(), p.HeldOut(test), p.HeldOut(math.Nextafter(test, 1)))
	}
}
