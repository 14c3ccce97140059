package runstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"amend/engine/revise"

	"pgregory.net/rapid"
)

// A run that was cut off at any byte holds exactly the rows whose lines are whole, says what it cut, and
// goes on from there to the same rows as a run that was never cut.
func TestCutAtEveryByte(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run")
	recs := []revise.Record{record(2), failedRecord(0), record(1)}
	r, _ := open(t, whole, manifest())
	add(t, r, recs...)
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	closeRun(t, r)
	rows := contents(t, whole, RowsFile)
	want := contents(t, whole, RevisionsFile)

	dir := filepath.Join(t.TempDir(), "cut")
	r, _ = open(t, dir, manifest())
	closeRun(t, r)
	for size := range len(rows) + 1 {
		cut := rows[:size]
		kept := strings.Count(cut, "\n")
		list, err := scanRows("rows", strings.NewReader(cut))
		if err != nil || len(list.rows) != kept || int(list.size)+list.torn != size || list.torn > 0 && cut[size-1] == '\n' {
			t.Fatalf("cut at %d: %d rows, %d bytes and %d torn, %v; want %d rows", size, len(list.rows), list.size, list.torn, err, kept)
		}
		// Going on is tried at fewer places, with all around the ends of lines: it waits for the disk.
		if near := strings.Contains(rows[max(0, size-2):min(len(rows), size+1)], "\n"); !near && size%211 != 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, RowsFile), []byte(cut), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := read(t, dir); len(got) != kept {
			t.Fatalf("cut at %d: Read gives %d rows, want %d", size, len(got), kept)
		}
		r, warnings := open(t, dir, manifest())
		if (len(warnings) == 1) != (list.torn > 0) {
			t.Fatalf("cut at %d: warnings %q, torn %d", size, warnings, list.torn)
		}
		if left := contents(t, dir, RowsFile); left != rows[:list.size] {
			t.Fatalf("cut at %d: %d bytes left, want %d", size, len(left), list.size)
		}
		for i, rec := range recs {
			if r.Done(rec.ID) != (i < kept) {
				t.Fatalf("cut at %d: Done(%s) is %v, want %v", size, rec.ID, r.Done(rec.ID), i < kept)
			}
		}
		add(t, r, recs[kept:]...)
		if err := r.Finish(nil); err != nil {
			t.Fatal(err)
		}
		closeRun(t, r)
		if contents(t, dir, RowsFile) != rows || contents(t, dir, RevisionsFile) != want {
			t.Fatalf("cut at %d: the continued run differs from the uninterrupted one", size)
		}
	}
}

// Whatever the order of finishing, reopening and cutting, the store behaves as a list of whole rows.
func TestStoreAgainstList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tmp, err := os.MkdirTemp("", "runstore")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		dir := filepath.Join(tmp, "a", "run")
		r, _, err := Open(dir, manifest())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { r.Close() }()
		var model []revise.Record
		var ends []int64                                  // of the lines
		for range rapid.IntRange(1, 8).Draw(t, "steps") { // each waits for the disk
			if rapid.Bool().Draw(t, "killed") {
				r.Close()
				size := int64(0)
				if len(ends) > 0 {
					size = rapid.Int64Range(0, ends[len(ends)-1]).Draw(t, "size")
				}
				if err := os.Truncate(filepath.Join(dir, RowsFile), size); err != nil {
					t.Fatal(err)
				}
				for len(ends) > 0 && ends[len(ends)-1] > size {
					model, ends = model[:len(model)-1], ends[:len(ends)-1]
				}
				if r, _, err = Open(dir, manifest()); err != nil {
					t.Fatal(err)
				}
			}
			rec := record(rapid.IntRange(0, 10).Draw(t, "row"))
			rec.Turns[0].Text = rapid.String().Draw(t, "text")
			known := slices.ContainsFunc(model, func(m revise.Record) bool { return m.ID == rec.ID })
			if err := r.Append(rec); (err != nil) != known {
				t.Fatalf("Append: %v, known %v", err, known)
			}
			if !known {
				info, err := os.Stat(filepath.Join(dir, RowsFile))
				if err != nil {
					t.Fatal(err)
				}
				model, ends = append(model, rec), append(ends, info.Size())
			}
			want := slices.SortedFunc(slices.Values(model), func(a, b revise.Record) int { return a.Index - b.Index })
			var got []revise.Record
			for rec, err := range r.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, rec)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("rows\n%+v\nwant\n%+v", got, want)
			}
		}
	})
}

func TestDamageIsNotCutAway(t *testing.T) {
	line := func(rec revise.Record) string { return inJSON(rec) + "\n" }
	good := line(record(0)) + line(record(1))
	for name, c := range map[string]struct{ rows, want string }{
		"bad line amid good ones": {line(record(0)) + "{\"id\":\n" + line(record(1)), "line 2"},
		"row twice":               {good + line(record(0)), `row "row-0" is in an earlier line`},
		"row without id":          {good + "{}\n", "no id"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, _ := open(t, dir, manifest())
			closeRun(t, r)
			if err := os.WriteFile(filepath.Join(dir, RowsFile), []byte(c.rows), 0o666); err != nil {
				t.Fatal(err)
			}
			if _, _, err := Open(dir, manifest()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("Open: %v, want %q in it", err, c.want)
			}
			if got := contents(t, dir, RowsFile); got != c.rows {
				t.Fatal("the damaged file was changed")
			}
			_, rows, err := Read(dir)
			if err == nil {
				_, err = Summarize(rows)
			}
			if err == nil {
				t.Fatal("Read takes the damaged file")
			}
		})
	}
}

// After a power cut the last line can be there in length but not in content.
func TestLastLineOfZeros(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	closeRun(t, r)
	whole := contents(t, dir, RowsFile)
	torn := append([]byte(whole), append(bytes.Repeat([]byte{0}, 5000), '\n')...)
	if err := os.WriteFile(filepath.Join(dir, RowsFile), torn, 0o666); err != nil {
		t.Fatal(err)
	}
	r, warnings := open(t, dir, manifest())
	if len(warnings) != 1 || !strings.Contains(warnings[0], "5001 bytes") {
		t.Fatalf("warnings %q", warnings)
	}
	if got := contents(t, dir, RowsFile); got != whole || !r.Done("row-0") {
		t.Fatal("the whole row did not survive")
	}
}

func TestReadDuringRun(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	if got := read(t, dir); len(got) != 0 {
		t.Fatalf("%d rows in a new run", len(got))
	}
	add(t, r, record(1), record(0))
	got := read(t, dir)
	if len(got) != 2 || !reflect.DeepEqual(got[0], record(0)) || !reflect.DeepEqual(got[1], record(1)) {
		t.Fatalf("read %+v", got)
	}
}

func TestRevisionsAndFailures(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(2), failedRecord(1), record(0))
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(contents(t, dir, RevisionsFile)), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d revisions, want those of the 2 rows that completed", len(lines))
	}
	var first revision
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil {
		t.Fatal(err)
	}
	want := revision{
		ID: "row-0", Principles: []string{"kind"}, Response: "a draft", Revision: "better 0",
		Messages: []revise.Message{record(0).Messages[0], {Role: "assistant", Content: "better 0"}},
	}
	if !reflect.DeepEqual(first, want) {
		t.Fatalf("got %+v\nwant %+v", first, want)
	}
	if got := contents(t, dir, FailedFile); !strings.HasPrefix(got, `{"id":"row-1","index":1,"error":"the turn needs 9 tokens"`) || strings.Count(got, "\n") != 1 {
		t.Fatalf("failed rows:\n%s", got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*"+tmpSuffix)); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

// A list of failures does not outlive them.
func TestFailuresAreGone(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	if err := r.Finish([]Unreadable{{File: "p.jsonl", Line: 2, Reason: "no prompt"}}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, dir, FailedFile); !strings.Contains(got, "no prompt") {
		t.Fatalf("failed rows:\n%s", got)
	}
	for range 2 { // also when there is nothing to remove
		if err := r.Finish(nil); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, FailedFile)); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("the list of failures is still there: %v", err)
		}
	}
}

func TestWithoutRevisionsTheResponseIsFinal(t *testing.T) {
	rec := record(0)
	rec.Turns = rec.Turns[:1]
	got, ok := finalRevision(rec)
	if !ok || got.Revision != "" || got.Messages[1].Content != "a draft" {
		t.Fatalf("%v %+v", ok, got)
	}
}

func TestSummary(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0), failedRecord(1))
	s, err := Summarize(r.Rows())
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 2 || s.Completed != 1 || s.Failed != 1 || s.Turns != 4 || s.Revisions != 1 ||
		s.Flags[revise.Cut] != 1 || s.Ends["length"] != 1 || s.Ends["end"] != 2 || s.Prompt != 460 || s.Reused != 400 || s.Decoded != 18 {
		t.Fatalf("%+v", s)
	}
	if n := len(s.Flags); n != len(revise.Flags()) {
		t.Fatalf("%d flags, want all, at 0 too", n)
	}
}

func TestResume(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	closeRun(t, r)

	later := manifest()
	later.Created = "2026-04-02"
	later.Setup.Threads = 8
	r, warnings := open(t, dir, later)
	if r.Manifest().Created != "2026-03-01" || r.Manifest().Setup.Threads != 2 {
		t.Fatalf("the manifest changed: %+v", r.Manifest())
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "threads: 2 → 8") {
		t.Fatalf("warnings %q", warnings)
	}
	closeRun(t, r)

	later.Results.Temperature, later.Results.System, later.Setup.Prompts = 0.5, "be brief", "other.jsonl"
	_, _, err := Open(dir, later)
	var changed *ChangedError
	if !errors.As(err, &changed) {
		t.Fatalf("got %v, want a ChangedError", err)
	}
	want := []Change{{"system", `""`, `"be brief"`}, {"temperature", "1", "0.5"}}
	if !reflect.DeepEqual(changed.Changes, want) || len(changed.Setup) != 2 {
		t.Fatalf("changes %+v", changed)
	}
	if text := err.Error(); !strings.Contains(text, "\n  temperature: 1 → 0.5\n") || !strings.Contains(text, "--out") {
		t.Fatal(text)
	}
}

// Every field of Results is compared, a new one too.
func TestEveryResultFieldIsCompared(t *testing.T) {
	fields := reflect.TypeFor[Results]()
	for i := range fields.NumField() {
		m := manifest()
		switch f := reflect.ValueOf(&m.Results).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "x")
		case reflect.Int, reflect.Int64:
			f.SetInt(f.Int() + 1)
		case reflect.Uint64:
			f.SetUint(f.Uint() + 1)
		case reflect.Float64:
			f.SetFloat(f.Float() + 0.25)
		case reflect.Bool:
			f.SetBool(!f.Bool())
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		default:
			t.Fatalf("field %s has a type this test does not know", fields.Field(i).Name)
		}
		if got := changes(manifest().Results, m.Results); len(got) != 1 {
			t.Errorf("field %s: changes %v", fields.Field(i).Name, got)
		}
	}
}

func TestNotARun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, manifest()); !errors.Is(err, ErrNotARun) {
		t.Errorf("Open of a folder of other files: %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Error("Open left files in somebody's folder")
	}
	for _, path := range []string{dir, file, filepath.Join(dir, "missing")} {
		if _, _, err := Read(path); !errors.Is(err, ErrNotARun) {
			t.Errorf("Read of %s: %v", path, err)
		}
	}
}

func TestOtherFormat(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"format":2}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, manifest()); err == nil || !strings.Contains(err.Error(), "format 2") {
		t.Fatalf("Open: %v", err)
	}
}

func TestClosed(t *testing.T) {
	r, _ := open(t, t.TempDir(), manifest())
	closeRun(t, r)
	closeRun(t, r)
	if err := r.Append(record(0)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Append: %v", err)
	}
	if err := r.Finish(nil); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Finish: %v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	r, _ := open(b, b.TempDir(), manifest())
	rec := record(0)
	rec.Turns[0].Text = strings.Repeat("words and words ", 400) // 6 KB, as a row of five turns has
	for i := range b.N {
		rec.ID, rec.Index = record(i).ID, i
		add(b, r, rec)
	}
}
