package prompts

import (
	"os"
	"strings"
	"testing"

	"amend/engine/chat"
)

// TestGoldenIDs pins the hash of a set of prompts and the ids of rows without one: runs are continued by them.
func TestGoldenIDs(t *testing.T) {
	set := readText(t, "{\"prompt\":\"Why?\"}\n{\"prompt\":\"Why?\"}\n{\"messages\":[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Où?\"}]}\n", Options{})
	lines := []string{set.SHA256, hashOf([]chat.Message{{Role: chat.User, Text: "a"}})}
	for _, r := range set.Rows {
		lines = append(lines, r.ID)
	}
	got, path := strings.Join(lines, "\n")+"\n", "testdata/ids"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
