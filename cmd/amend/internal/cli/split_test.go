package cli

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/reward"
)

// TestOneSplit trains a preference model on labels and exports them, with the same share held out: no prompt of one's test part is
// in what the other trains on.
func TestOneSplit(t *testing.T) {
	params := oldRuns("split.txtar")
	params.Cmds = map[string]func(*testscript.TestScript, bool, []string){"onesplit": oneSplit}
	testscript.Run(t, params)
}

// oneSplit compares what a preference model was trained on with the parts of a set: onesplit MODEL SET
func oneSplit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: onesplit MODEL SET")
	}
	m, err := reward.Decode([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	for split, trained := range map[string]bool{"train": true, "test": false} {
		prompts := exportedPrompts(ts, filepath.Join(ts.MkAbs(args[1]), "data", split+"-*.jsonl"))
		if len(prompts) == 0 {
			ts.Fatalf("no prompt in %s", split)
		}
		for _, p := range prompts {
			if m.TrainedOn(p) != trained {
				ts.Fatalf("prompt %s of %s: the preference model was trained on it: %v", p, split, !trained)
			}
		}
	}
}

// exportedPrompts names the prompts of the files of a set.
func exportedPrompts(ts *testscript.TestScript, pattern string) (names []string) {
	files, err := filepath.Glob(pattern)
	ts.Check(err)
	for _, file := range files {
		for dec := json.NewDecoder(strings.NewReader(ts.ReadFile(file))); dec.More(); {
			var row struct{ Prompt []chat.Message }
			ts.Check(dec.Decode(&row))
			names = append(names, feedback.PromptHash(row.Prompt))
		}
	}
	return names
}
