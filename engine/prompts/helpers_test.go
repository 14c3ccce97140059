package prompts

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"amend/engine/chat"
	"amend/engine/revise"
)

// readText reads text as an input of its own.
func readText(t testing.TB, text string, o Options) *Set {
	t.Helper()
	set, err := Read(Paths{"-"}, strings.NewReader(text), o)
	if err != nil {
		t.Fatalf("Read(%q): %v", text, err)
	}
	return set
}

// show prints a set as the golden files and tables have it: a line for each
// turn, and one for each bad row.
func show(set *Set) string {
	var b strings.Builder
	for _, row := range set.Rows {
		fmt.Fprintf(&b, "row %s\n", row.ID)
		for _, m := range row.Messages {
			fmt.Fprintf(&b, "  %s %q\n", m.Role, m.Text)
		}
		if row.Response != nil {
			fmt.Fprintf(&b, "  response %q\n", *row.Response)
		}
		if w := row.Attributes; w.Jurisdiction+w.Language != "" || len(w.Tags) > 0 {
			fmt.Fprintf(&b, "  in %q, of %q, about %q\n", w.Language, w.Jurisdiction, w.Tags)
		}
	}
	for _, bad := range set.Bad {
		fmt.Fprintf(&b, "bad %s\n", bad)
	}
	return b.String()
}

func compress(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// check fails unless a set is what every reader of one relies on.
func check(t testing.TB, set *Set) {
	t.Helper()
	ids := map[string]bool{}
	for i, row := range set.Rows {
		if row.Index != i {
			t.Errorf("row %d has index %d", i, row.Index)
		}
		if row.ID == "" || ids[row.ID] {
			t.Errorf("row %d: id %q is empty or another row's", i, row.ID)
		}
		ids[row.ID] = true
		checkRow(t, row)
	}
	line := 0
	for _, bad := range set.Bad {
		if bad.Line <= line {
			t.Errorf("bad line %d after line %d", bad.Line, line)
		}
		line = bad.Line
		if bad.File == "" || bad.Reason == "" || len(bad.Reason) > 2000 || !utf8.ValidString(bad.Reason) {
			t.Errorf("bad row %+v", bad)
		}
	}
}

func checkRow(t testing.TB, row revise.Row) {
	t.Helper()
	msgs := row.Messages
	if len(msgs) > 0 && msgs[0].Role == chat.System {
		msgs = msgs[1:]
	}
	if len(msgs)%2 != 1 {
		t.Errorf("row %s: %d turns, want an odd number", row.ID, len(msgs))
	}
	for i, m := range msgs {
		if want := []chat.Role{chat.User, chat.Assistant}[i%2]; m.Role != want {
			t.Errorf("row %s: turn %d is the %s's, want the %s's", row.ID, i, m.Role, want)
		}
		checkTurnText(t, m.Text)
	}
	if row.Response != nil {
		checkTurnText(t, *row.Response)
	}
	for _, text := range append([]string{row.Attributes.Language, row.Attributes.Jurisdiction}, row.Attributes.Tags...) {
		if !utf8.ValidString(text) {
			t.Errorf("row %s: %+v is not valid UTF-8", row.ID, row.Attributes)
		}
	}
}

func checkTurnText(t testing.TB, text string) {
	t.Helper()
	if strings.TrimSpace(text) == "" || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		t.Errorf("a turn is %q", text)
	}
}

// read is Read of an open input, with the longest line as a parameter.
func read(in io.Reader, o Options, maxLine int) (*Set, error) {
	set := &Set{}
	c := set.collector(o)
	c.max = maxLine
	var err error
	set.SHA256, err = c.read(Paths{"-"}, in)
	set.Bad, set.Report = c.bad, c.report
	return set, err
}
