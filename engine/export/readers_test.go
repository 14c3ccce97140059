package export

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"amend/engine/enginetest/need"
	"amend/engine/revise"
)

// seen is what scripts/readers/read.py prints: rows as JSON texts, by reader and split.
type seen struct {
	Rows        map[string][]string
	Features    map[string]string
	RowGroups   int `json:"row_groups"`
	Compression []string
}

// TestReaders: datasets (by the card), pyarrow and DuckDB read every format in either encoding as it was written.
func TestReaders(t *testing.T) {
	python := filepath.Join("..", "..", "scripts", "readers", "python")
	if text, err := exec.Command(python, "--version").CombinedOutput(); err != nil {
		need.Unmet(t, need.Readers, "the readers are not there: %v %s", err, text)
	}
	var records []revise.Record
	for i := range 60 {
		records = append(records, trace(fmt.Sprint("row ", i), "bad ö\n\"quoted\" \u2028 😀", strings.Repeat("good ", i%7)+fmt.Sprint(i)))
	}
	logprob := -1.5
	records[3].Turns[0].LogProb, records[3].Turns[0].Tokens, records[3].Turns[0].Think = &logprob, []int32{1, 2, 3}, "hm"
	records = append(records, failing("failed"))
	const dialogue = "List({'role': Value('string'), 'content': Value('string')})"
	types := map[Format][]string{
		SFT:    {"'messages': " + dialogue, "'round': Value('int32')", "'principles': List(Value('string'))"},
		DPO:    {"'prompt': " + dialogue, "'chosen': " + dialogue, "'rejected': " + dialogue},
		KTO:    {"'completion': " + dialogue, "'label': Value('bool')"},
		Reward: {"'chosen': " + dialogue, "'rejected': " + dialogue},
		Raw:    {"'index': Value('int64')", "'tokens': List(Value('int32'))", "'logprob': Value('float64')", "'seed': Value('string')"},
	}
	for _, f := range Formats() {
		for _, e := range Encodings() {
			t.Run(fmt.Sprintf("%s/%s", f, e), func(t *testing.T) {
				t.Parallel()
				dir, r := write(t, Options{Format: f, Encoding: e, TestShare: 0.2, ShardBytes: 4000}, records...)
				plain, _ := write(t, Options{Format: f, Encoding: JSONL, TestShare: 0.2}, records...)
				cmd := exec.Command(python, filepath.Join("..", "..", "scripts", "readers", "read.py"), dir)
				var stderr strings.Builder
				cmd.Stderr = &stderr
				text, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, stderr.String())
				}
				var got map[string]seen
				if err := json.Unmarshal(text, &got); err != nil {
					t.Fatal(err)
				}
				if e == Parquet && (!slices.Equal(got["pyarrow"].Compression, []string{"ZSTD"}) || got["pyarrow"].RowGroups < len(r.Files)) {
					t.Errorf("pyarrow: %+v of %d files", got["pyarrow"], len(r.Files))
				}
				for _, want := range types[f] {
					if types := got["datasets"].Features["test"]; !strings.Contains(types, want) {
						t.Errorf("datasets has the columns %s, want %s", types, want)
					}
				}
				for reader, s := range got {
					for _, split := range []string{"train", "test"} {
						compareRows(t, reader+" "+split, s.Rows[split], read(t, plain, split))
					}
				}
				if len(r.Files) < 4 {
					t.Errorf("%d files: shards were not tried", len(r.Files))
				}
			})
		}
	}
}

// compareRows compares JSON texts by what they say.
func compareRows(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if a, b := canonical(t, got[i]), canonical(t, want[i]); a != b {
			t.Errorf("%s, row %d:\n%s\nwant\n%s", what, i, a, b)
			return
		}
	}
}

func canonical(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
