package cli

import (
	"os"
	"strings"
	"testing"

	"amend/engine/revise"
)

// What amend try writes is what amend run would: the same principles and texts. It leaves nothing in the folder.
func TestTryIsARunOfOneRow(t *testing.T) {
	const prompt = "What do I do to take pictures at night? My old teacher must not hear about it."
	t.Chdir(t.TempDir())
	settings := []string{"--model", "testbed", "--seed", "4", "--temperature", "1.2", "--revisions", "2", "--tries", "0", "--demonstrations", "all", "--min-p", "0"}
	var tried revise.Record
	amendJSON(t, &tried, append([]string{"try", prompt, "--json"}, settings...)...)
	streamed, err := amendCommand(t, append([]string{"try", prompt}, settings...)).Output()
	if err != nil {
		t.Fatal(err)
	}
	if names := files(t, "."); len(names) > 0 {
		t.Errorf("there is %v", names)
	}
	if err := os.WriteFile("p.txt", []byte(prompt+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAmend(t, append([]string{"run", "--prompts", "p.txt", "--out", "r", "--progress", "none"}, settings...)...)
	var shown struct{ Rows []revise.Record }
	amendJSON(t, &shown, "show", "r", "0", "--json")
	want := shown.Rows[0].Turns
	if len(tried.Turns) != len(want) || len(want) != 5 {
		t.Fatalf("%d turns, and %d of the run", len(tried.Turns), len(want))
	}
	rest := string(streamed)
	for i, turn := range tried.Turns {
		if turn.Text != want[i].Text || turn.Principle != want[i].Principle {
			t.Errorf("turn %d: %q under %s, in the run %q under %s", i, turn.Text, turn.Principle, want[i].Text, want[i].Principle)
		}
		_, after, ok := strings.Cut(rest, "\n"+turn.Text+"\n")
		if !ok {
			t.Errorf("turn %d is not streamed in its place:\n%s", i, streamed)
		}
		rest = after
	}
}
