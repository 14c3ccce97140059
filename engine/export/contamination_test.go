package export

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"amend/engine/chat"
	"amend/engine/revise"
)

// counted is a text of n words that no other number gives.
func counted(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "w%d ", from+i)
	}
	return b.String()
}

// asking makes a row with a prompt.
func asking(id, prompt, answer string) revise.Record {
	rec := trace(id, answer)
	rec.Messages = []chat.Message{{Role: chat.System, Text: counted(900, 20)}, {Role: chat.User, Text: prompt}}
	return rec
}

// TestContaminated: thirteen words in a row are found in prompts and answers, whatever their case and punctuation; twelve are
// not; shorter prompts are found as a whole, shorter answers and system messages are not looked for.
func TestContaminated(t *testing.T) {
	file := &Evaluation{Name: "eval.jsonl", SHA256: "abc", Records: 4}
	for _, text := range []string{counted(0, 20), "How do I kill a Python process?", "No.", counted(900, 20)} {
		file.Add(text)
	}
	file.AddPrompt([]chat.Message{{Role: chat.User, Text: "Hello there"}, {Role: chat.Assistant, Text: "Hi"}, {Role: chat.User, Text: "Who won?"}})
	other := &Evaluation{Name: "other.csv", SHA256: "def", Records: 1}
	other.Add(counted(0, 40))
	rows := []revise.Record{
		asking("thirteen", "Begin: "+strings.ToUpper(strings.ReplaceAll(counted(3, 13), " ", ", "))+" end", "ok"),
		asking("twelve", "Begin "+counted(3, 12)+"end", "ok"),
		asking("answer", "Why?", "So: "+counted(25, 13)),
		asking("short", "how do I kill a python process", "ok"),
		asking("longer", "How do I kill a Python process in Go?", "ok"),
		asking("refusal", "Why not?", "No."),
	}
	conversation := asking("conversation", "", "ok")
	conversation.Messages = []chat.Message{{Role: chat.User, Text: "Hello there!"}, {Role: chat.Assistant, Text: "Hi"}, {Role: chat.User, Text: "Who won"}}
	rows = append(rows, conversation)
	dir, r := write(t, Options{Format: SFT, Evaluations: []*Evaluation{file, other}}, rows...)
	got := strings.Join(read(t, dir, "train"), "\n")
	for id, in := range map[string]bool{"thirteen": false, "twelve": true, "answer": false, "short": false, "longer": true, "refusal": true, "conversation": false} {
		if strings.Contains(got, `"id":"`+id+`"`) != in {
			t.Errorf("%s: in the set %v, want %v", id, !in, in)
		}
	}
	if r.LeftOut[Contaminated] != 4 || file.LeftOut != 3 || other.LeftOut != 2 {
		t.Errorf("left out %v, %d and %d", r.LeftOut, file.LeftOut, other.LeftOut)
	}
}

// TestContaminatedPairs: the answer that is rejected counts too.
func TestContaminatedPairs(t *testing.T) {
	file := &Evaluation{Name: "eval.jsonl"}
	file.Add(counted(0, 13))
	if _, r := write(t, Options{Format: DPO, Evaluations: []*Evaluation{file}}, trace("a", counted(0, 13), "better"), trace("b", "bad", "better")); r.LeftOut[Contaminated] != 1 || r.Taken != 1 {
		t.Errorf("%+v", r)
	}
}

// TestGrams: two texts share a hash where they share a run of words, and nowhere else.
func TestGrams(t *testing.T) {
	alphabet := strings.Fields("a b c")
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) []string { return rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 40).Draw(t, name) }
		a, b := draw("a"), draw("b")
		hashes := map[uint64]bool{}
		for h := range grams(a) {
			hashes[h] = true
		}
		at := 0
		for h := range grams(b) {
			run := " " + strings.Join(b[at:at+gramWords], " ") + " "
			if want := strings.Contains(" "+strings.Join(a, " ")+" ", run); hashes[h] != want {
				t.Errorf("%v in %v: %v, want %v", run, a, hashes[h], want)
			}
			at++
		}
		if want := max(0, len(b)-gramWords+1); at != want {
			t.Errorf("%d runs of %d words, want %d", at, len(b), want)
		}
	})
}
