package cli

import "testing"

// TestCalledAs: commands that are to be copied begin with the path that was typed, or with amend where the shell found it.
func TestCalledAs(t *testing.T) {
	for arg0, want := range map[string]string{"bin/amend": "bin/amend", "./amend": "./amend", "/opt/amend": "/opt/amend", "amend": "amend", "a": "amend", "": "amend"} {
		if got := calledAs(arg0); got != want {
			t.Errorf("called as %q: %q, want %q", arg0, got, want)
		}
	}
}
