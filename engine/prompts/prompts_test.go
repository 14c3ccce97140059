package prompts

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"amend/engine/chat"
	"amend/engine/enginetest/need"
)

var update = flag.Bool("update", false, "write the golden files")

// goldenInputs are the inputs of TestGolden.
func goldenInputs() []string {
	return []string{"testdata/good.in", "testdata/bad.in", "testdata/plain.txt"}
}

// TestGolden reads each input in testdata with and without FromResponses.
func TestGolden(t *testing.T) {
	for _, in := range goldenInputs() {
		for suffix, o := range map[string]Options{".golden": {}, ".responses.golden": {FromResponses: true}} {
			set, err := Read(Paths{in}, nil, o)
			if err != nil {
				t.Fatal(err)
			}
			check(t, set)
			golden := strings.TrimSuffix(in, filepath.Ext(in)) + suffix
			got := filepath.ToSlash(show(set))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s:\n%s\nwant\n%s", golden, got, want)
			}
		}
	}
}

// One text means the same with a byte order mark, with CRLF, without its last
// line end, and gzipped, in one member or in two.
func TestWrappings(t *testing.T) {
	for _, text := range []string{
		"{\"id\": 1, \"prompt\": \"one\"}\n\n{\"id\": 2, \"prompt\": 5}\n{\"id\": 3, \"prompt\": \"three\"}\n",
		"one\n\n  two  \n",
	} {
		want := show(readText(t, text, Options{}))
		crlf := strings.ReplaceAll(text, "\n", "\r\n")
		half := len(text) / 2
		members := append(compress(t, []byte(text[:half])), compress(t, []byte(text[half:]))...)
		for name, wrapped := range map[string]string{
			"BOM":             "\ufeff" + text,
			"CRLF":            crlf,
			"CR at the end":   strings.TrimSuffix(crlf, "\n"),
			"no last LF":      strings.TrimSuffix(text, "\n"),
			"gzip":            string(compress(t, []byte(text))),
			"gzip, BOM":       string(compress(t, []byte("\ufeff"+crlf))),
			"gzip, two parts": string(members),
		} {
			set := readText(t, wrapped, Options{})
			if got := show(set); got != want {
				t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
			}
			sum := sha256.Sum256([]byte(wrapped))
			if set.SHA256 != hex.EncodeToString(sum[:]) {
				t.Errorf("%s: SHA256 is not that of the raw bytes", name)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	text := "{\"prompt\":\"a\"}\n{\"prompt\":1}\n{\"prompt\":\"b\"}\n{\"prompt\":2}\n{\"prompt\":\"c\"}\n"
	all := readText(t, text, Options{})
	set := readText(t, text, Options{Limit: 2})
	if len(set.Rows) != 2 || len(set.Bad) != 1 || set.Rows[1].Messages[0].Text != "b" {
		t.Errorf("limit 2:\n%s", show(set))
	}
	if set.SHA256 != all.SHA256 {
		t.Error("the hash depends on the limit")
	}
	// What comes after the limit is not parsed, but an error reading it counts.
	broken := io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrClosedPipe))
	if _, err := Read(Paths{"-"}, broken, Options{Limit: 1}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
	if _, err := Read(Paths{"-"}, strings.NewReader(text), Options{Limit: -1}); err == nil {
		t.Error("a limit of −1 is accepted")
	}
}

func TestRefusedInputs(t *testing.T) {
	whole := compress(t, bytes.Repeat([]byte("a prompt\n"), 1000))
	for text, want := range map[string]string{
		"":                                   "empty",
		string(compress(t, nil)):             "empty",
		"[]":                                 "no records",
		string(whole[:len(whole)-9]):         "cut off",
		string(whole) + "more than a header": "gzip",
	} {
		set, err := Read(Paths{"-"}, strings.NewReader(text), Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "stdin") {
			t.Errorf("%q: error %v, want one with %q; set %v", clip(text), err, want, set)
		}
	}
	if _, err := Read(Paths{filepath.Join(t.TempDir(), "none")}, nil, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Read(Paths{t.TempDir()}, nil, Options{}); err == nil {
		t.Error("a folder is read")
	}
	// A plain prompt may begin with a bracket.
	if set := readText(t, "[INST] hello", Options{}); len(set.Rows) != 1 {
		t.Errorf("a bracket:\n%s", show(set))
	}
}

// A line of the greatest length is read; one byte more quarantines it, and
// the lines after it are still read. A byte more in the buffer, from a CRLF,
// does not count.
func TestLongestLine(t *testing.T) {
	for _, end := range []string{"\n", "\r\n", ""} {
		for size := 97; size <= 104; size++ {
			text := "first\n" + strings.Repeat("x", size) + end
			if end != "" {
				text += "last" + end
			}
			set, err := read(strings.NewReader(text), Options{}, 100)
			if err != nil {
				t.Fatal(err)
			}
			if over := size > 100; over != (len(set.Bad) == 1 && set.Bad[0].Line == 2) {
				t.Errorf("%d bytes and %q: bad %v", size, end, set.Bad)
			}
			if last := set.Rows[len(set.Rows)-1].Messages[0].Text; end != "" && last != "last" {
				t.Errorf("%d bytes and %q: the last row is %q", size, end, last)
			}
		}
	}
}

// A first line that is too long still tells the form of the input.
func TestLongFirstLine(t *testing.T) {
	text := `{"prompt": "` + strings.Repeat("x", 200) + "\"}\n{\"prompt\": \"hi\"}\n"
	set, err := read(strings.NewReader(text), Options{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Bad) != 1 || len(set.Rows) != 1 || set.Rows[0].Messages[0].Text != "hi" {
		t.Errorf("got\n%s", show(set))
	}
}

// A line of 100 MB costs no more memory than the longest that is read.
func TestHugeLineMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 100 MB")
	}
	huge := io.LimitReader(endless('x'), 100<<20)
	in := io.MultiReader(strings.NewReader("{\"prompt\":\"a\"}\n{"), huge, strings.NewReader("}\n{\"prompt\":\"b\"}\n"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	set, err := Read(Paths{"-"}, in, Options{})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rows) != 2 || len(set.Bad) != 1 || set.Bad[0].Line != 2 {
		t.Errorf("got\n%s", show(set))
	}
	// All that was ever allocated, not only what was held: growing a buffer
	// to the limit takes a small multiple of it.
	t.Logf("allocated %d MiB in all", (after.TotalAlloc-before.TotalAlloc)>>20)
	if used := after.TotalAlloc - before.TotalAlloc; used > 8*MaxLine {
		t.Errorf("allocated %d MiB for a line of 100 MiB", used>>20)
	}
}

// endless repeats a byte for ever.
type endless byte

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(e)
	}
	return len(p), nil
}

func TestIDs(t *testing.T) {
	set := readText(t, `{"prompt":"a"}
{"prompt":"a","response":"r"}
{"prompt":"b"}
{"messages":[{"role":"user","content":"a"}]}
{"id":7,"prompt":"a"}
{"id":"7","prompt":"c"}
{"id":"lost","prompt":5}
{"id":"lost","prompt":"d"}
`, Options{})
	var ids []string
	for _, row := range set.Rows {
		ids = append(ids, row.ID)
	}
	// The hash is part of the contract: a run that is resumed finds its rows
	// by it. printf 'user\0a\0' | sha256sum
	const a, b = "1a00cbb1eff2e529", "85bc594601f1c648"
	want := []string{a, a + "-2", b, a + "-3", "7", "lost"}
	if strings.Join(ids, " ") != strings.Join(want, " ") {
		t.Errorf("ids %v, want %v", ids, want)
	}
	if len(set.Bad) != 2 || set.Bad[0].String() != `stdin:6: id: "7" is already the id of line 5; make ids unique, or rename the column` {
		t.Errorf("bad rows %v", set.Bad)
	}
	// An id that looks like a later row's hash takes it.
	set = readText(t, `{"id":"`+a+`","prompt":"z"}`+"\n"+`{"prompt":"a"}`, Options{})
	if len(set.Rows) != 1 || len(set.Bad) != 1 {
		t.Errorf("got\n%s", show(set))
	}
}

// The prompts that come with the project are all good.
func TestExamples(t *testing.T) {
	set, err := Read(Paths{"../../examples/prompts.jsonl"}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, set)
	if len(set.Rows) != 40 || len(set.Bad) != 0 {
		t.Errorf("%d rows, want 40; bad: %v", len(set.Rows), set.Bad)
	}
}

// readData reads a file of real data, or skips where there is none.
func readData(t *testing.T, name string, o Options) *Set {
	t.Helper()
	set, err := Read(Paths{filepath.Join("../../../shared/data", name)}, nil, o)
	if errors.Is(err, fs.ErrNotExist) {
		need.Unmet(t, need.Data, "no real data here")
	}
	if err != nil {
		t.Fatal(err)
	}
	check(t, set)
	return set
}

func TestHHRLHF(t *testing.T) {
	const name = "hh-rlhf-harmless-test-a.jsonl.gz"
	prompts := readData(t, name, Options{})
	if len(prompts.Rows) != 1156 || len(prompts.Bad) != 0 {
		t.Errorf("%d rows, bad %v", len(prompts.Rows), prompts.Bad)
	}
	for _, row := range prompts.Rows {
		if row.Response != nil {
			t.Fatalf("row %s has a response", row.ID)
		}
	}
	// Rows 764 and 668 hold a marker in the middle of the assistant's turn.
	for _, i := range []int{763, 667} {
		for _, m := range prompts.Rows[i].Messages {
			if m.Role == chat.Assistant && strings.Contains(m.Text, chat.AssistantMark) {
				t.Errorf("row %d keeps a marker: %q", i+1, m.Text)
			}
		}
	}

	// Four rows end with an empty answer.
	responses := readData(t, name, Options{FromResponses: true})
	if len(responses.Rows) != 1152 || len(responses.Bad) != 4 {
		t.Errorf("%d rows, bad %v", len(responses.Rows), responses.Bad)
	}
	for i, line := range []int{87, 517, 926, 1104} {
		if responses.Bad[i].Line != line || !strings.HasPrefix(responses.Bad[i].Reason, "chosen: ") {
			t.Errorf("bad row %v, want line %d", responses.Bad[i], line)
		}
	}
	for _, row := range responses.Rows {
		if row.Response == nil {
			t.Fatalf("row %s has no response", row.ID)
		}
	}
}

func TestHHHComparisons(t *testing.T) {
	set := readData(t, "hhh-comparisons-a.jsonl.gz", Options{})
	if len(set.Rows) != 219 || len(set.Bad) != 0 {
		t.Errorf("%d rows, bad %v", len(set.Rows), set.Bad)
	}
}
