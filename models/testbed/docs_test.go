package testbed

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestPageStatesTheFaults: docs/testbed.md has every planted fault with its size, and every rule.
func TestPageStatesTheFaults(t *testing.T) {
	page, err := os.ReadFile("../../docs/testbed.md")
	if err != nil {
		t.Fatal(err)
	}
	w := New()
	for _, s := range w.faults.sizes {
		if line := fmt.Sprintf("| %s | %d | %d | %s |", s.Name, s.Cells, s.Of, s.Says); !strings.Contains(string(page), line) {
			t.Errorf("the page does not have the line\n%s", line)
		}
	}
	for _, r := range w.Rules() {
		if line := fmt.Sprintf("| %s | %s |", r.ID, r.Statements[0]); !strings.Contains(string(page), line) {
			t.Errorf("the page does not have the rule %s", line)
		}
	}
}
