package runstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/enginetest/need"
	"amend/engine/prompts"
	"amend/engine/revise"

	"pgregory.net/rapid"
)

// copyRun copies a run's files as they are, which is what a process killed at this instant leaves.
func copyRun(t testing.TB, dir, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
}

// output makes a turn.
func output(i int) revise.TurnResult {
	p := -float64(i)
	return revise.TurnResult{Tokens: []engine.Token{engine.Token(i), -1, 1 << 30}, Text: "half a character \xc3", End: engine.EndToken, Limit: 64, LogProb: &p, Prompt: i, Reused: 1, Decoded: 3}
}

func key(i int) (k revise.Key) {
	k[0], k[31] = byte(i), 0xff
	return k
}

// Whatever the order of finishing, reopening and being killed, the store behaves as a list of rows and a map of turns.
func TestStoreAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tmp := t.TempDir()
		dir := filepath.Join(tmp, "a", "run")
		r, _, err := Open(dir, manifest(), Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { r.Close() }()
		var rows []revise.Record
		turns := map[revise.Key]revise.TurnResult{}
		for step := range rapid.IntRange(1, 8).Draw(rt, "steps") { // each waits for the disk
			switch rapid.SampledFrom([]string{"row", "turn", "killed", "closed"}).Draw(rt, "step") {
			case "row":
				rec := record(rapid.IntRange(0, 6).Draw(rt, "row"))
				rec.Turns[0].Text = rapid.String().Draw(rt, "text")
				known := slices.ContainsFunc(rows, func(m revise.Record) bool { return m.ID == rec.ID })
				if err := r.Append(rec); (err != nil) != known {
					rt.Fatalf("Append: %v, known %v", err, known)
				}
				if !known {
					rows = append(rows, rec)
				}
			case "turn":
				i := rapid.IntRange(0, 3).Draw(rt, "key")
				o := output(step)
				if err := r.Put(key(i), o); err != nil {
					rt.Fatal(err)
				}
				turns[key(i)] = o
			case "killed":
				left := filepath.Join(tmp, fmt.Sprint("killed", step))
				copyRun(t, dir, left)
				r.Close()
				dir = left
				if r, _, err = Open(dir, manifest(), Options{}); err != nil {
					rt.Fatal(err)
				}
			case "closed":
				r.Close()
				if r, _, err = Open(dir, manifest(), Options{}); err != nil {
					rt.Fatal(err)
				}
			}
		}
		want := slices.SortedFunc(slices.Values(rows), func(a, b revise.Record) int { return a.Index - b.Index })
		if got := read(t, dir); !reflect.DeepEqual(got, want) {
			rt.Fatalf("rows\n%+v\nwant\n%+v", got, want)
		}
		for i := range 4 {
			o, ok, err := r.Get(key(i))
			want, there := turns[key(i)]
			if err != nil || ok != there || !reflect.DeepEqual(o, want) {
				rt.Fatalf("turn %d: %+v %v %v, want %+v %v", i, o, ok, err, want, there)
			}
		}
	})
}

// TestCutWAL: SQLite's log cut off at any byte leaves the rows that were whole in it, in the order of their writing, and
// the run goes on from there to the same rows as one that was never cut.
func TestCutWAL(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run")
	recs := []revise.Record{record(2), failedRecord(0), record(1)}
	r, _ := open(t, whole, manifest())
	add(t, r, recs...)
	const log = DatabaseFile + "-wal"
	size := len(contents(t, whole, log))
	seen := map[int]bool{}
	for i := range 61 {
		cut := size * i / 60
		dir := filepath.Join(t.TempDir(), "cut")
		copyRun(t, whole, dir)
		if err := os.Remove(filepath.Join(dir, DatabaseFile+"-shm")); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(dir, log), int64(cut)); err != nil {
			t.Fatal(err)
		}
		r, _, err := Open(dir, manifest(), Options{})
		if err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, size, err)
		}
		kept := 0
		for kept < len(recs) && r.Done(recs[kept].ID) {
			kept++
		}
		seen[kept] = true
		add(t, r, recs[kept:]...) // fails where a later row was there
		closeRun(t, r)
		if got := read(t, dir); !reflect.DeepEqual(got, []revise.Record{recs[1], recs[2], recs[0]}) {
			t.Fatalf("cut at %d: %+v", cut, got)
		}
	}
	if len(seen) != len(recs)+1 {
		t.Errorf("the cuts left %v rows: not every case was tried", seen)
	}
}

// TestDamage: a database that is no more one is refused with a remedy, and not touched.
func TestDamage(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"zeros in it":     func(b []byte) []byte { copy(b[4096:], make([]byte, 4096)); return b },
		"no database":     func([]byte) []byte { return []byte(strings.Repeat("not a database\n", 300)) },
		"its second half": func(b []byte) []byte { return b[:len(b)/8192*4096] },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r, _ := open(t, dir, manifest())
			for i := range 40 {
				add(t, r, record(i))
			}
			closeRun(t, r)
			bad := damage([]byte(contents(t, dir, DatabaseFile)))
			if err := os.WriteFile(filepath.Join(dir, DatabaseFile), bad, 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := Open(dir, manifest(), Options{})
			if err == nil || !strings.Contains(err.Error(), DatabaseFile) || !strings.Contains(err.Error(), "restore it from a copy") {
				t.Fatalf("Open: %v", err)
			}
			if got := contents(t, dir, DatabaseFile); got != string(bad) {
				t.Error("the damaged file was changed")
			}
		})
	}
}

// TestRedo: other settings are taken where that was asked for: rows are forgotten, turns are kept, and the manifest
// says what there was before.
func TestRedo(t *testing.T) {
	dir := t.TempDir()
	r, _, err := Open(dir, manifest(), Options{Constitution: []byte("old"), Settings: []byte("a")})
	if err != nil {
		t.Fatal(err)
	}
	add(t, r, record(0))
	if err := r.Put(key(1), output(1)); err != nil {
		t.Fatal(err)
	}
	closeRun(t, r)
	m := manifest()
	m.Created, m.Results.MaxTokens = "2027-01-01", 128
	if _, _, err := Open(dir, m, Options{Constitution: []byte("new"), Settings: []byte("b")}); err == nil || contents(t, dir, SettingsFile) != "a" || contents(t, dir, ConstitutionFile) != "old" {
		t.Fatal("another limit was taken unasked")
	}
	r, _, err = Open(dir, m, Options{Redo: true, Constitution: []byte("new"), Settings: []byte("b")})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := r.Get(key(1)); !ok || err != nil || r.Done("row-0") {
		t.Errorf("the turn is there: %v %v; the row is done: %v", ok, err, r.Done("row-0"))
	}
	closeRun(t, r)
	got, _, err := Read(dir)
	if err != nil || got.Results.MaxTokens != 128 || got.Created != manifest().Created || len(got.Before) != 1 || got.Before[0].MaxTokens != 64 {
		t.Errorf("%+v %v", got, err)
	}
	if len(read(t, dir)) != 0 || contents(t, dir, ConstitutionFile) != "new" || contents(t, dir, SettingsFile) != "b" {
		t.Error("old rows or an old constitution are there")
	}
	r, warnings := open(t, dir, m) // as usual from here on
	if len(warnings) != 0 {
		t.Errorf("warnings %q", warnings)
	}
	closeRun(t, r)
}

// TestRedoCutShort: a redo that ends before its manifest or before its constitution leaves a directory that goes on, with
// the constitution that belongs to the inputs it goes on with.
func TestRedoCutShort(t *testing.T) {
	other := manifest()
	other.Results.ConstitutionSHA256 = "another"
	for _, c := range []struct {
		unwritten string
		goesOn    Manifest
		text      string
	}{
		{ManifestFile, manifest(), "old"},
		{ConstitutionFile, other, "new"},
	} {
		dir := t.TempDir()
		r, _, err := Open(dir, manifest(), Options{Constitution: []byte("old")})
		if err != nil {
			t.Fatal(err)
		}
		add(t, r, record(0))
		closeRun(t, r)
		if err := os.Mkdir(filepath.Join(dir, c.unwritten+tmpSuffix), 0o777); err != nil { // no file can be written there
			t.Fatal(err)
		}
		if _, _, err := Open(dir, other, Options{Redo: true, Constitution: []byte("new")}); err == nil {
			t.Fatalf("%s was written", c.unwritten)
		}
		r, _, err = Open(dir, c.goesOn, Options{Constitution: []byte(c.text)})
		if err != nil {
			t.Fatal(err)
		}
		closeRun(t, r)
		if got := contents(t, dir, ConstitutionFile); got != c.text || len(read(t, dir)) != 0 {
			t.Errorf("without %s: constitution %q, want %q; %d old rows", c.unwritten, got, c.text, len(read(t, dir)))
		}
	}
}

// TestConstitutionUnreadable: a constitution that may be there is not written over.
func TestConstitutionUnreadable(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	closeRun(t, r)
	if err := os.Symlink(ConstitutionFile, filepath.Join(dir, ConstitutionFile)); err != nil { // to itself
		t.Skip(err)
	}
	if _, _, err := Open(dir, manifest(), Options{Constitution: []byte("new")}); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open: %v", err)
	}
	if _, err := os.Readlink(filepath.Join(dir, ConstitutionFile)); err != nil {
		t.Errorf("it was written over: %v", err)
	}
}

// TestTextsBeforeTheManifest: a process that dies before the manifest is there leaves a directory that begins as a new one,
// and one that goes on keeps its constitution.
func TestTextsBeforeTheManifest(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{ConstitutionFile, SettingsFile, SettingsFile + tmpSuffix, ManifestFile + tmpSuffix} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("of before"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{"first", "second"} {
		r, _, err := Open(dir, manifest(), Options{Constitution: []byte(text), Settings: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		closeRun(t, r)
		if contents(t, dir, ConstitutionFile) != "first" || contents(t, dir, SettingsFile) != text {
			t.Errorf("%s: constitution %q, settings %q", text, contents(t, dir, ConstitutionFile), contents(t, dir, SettingsFile))
		}
	}
}

// TestRetryFailed: rows that failed are done again, others are not.
func TestRetryFailed(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0), failedRecord(1))
	closeRun(t, r)
	r, _, err := Open(dir, manifest(), Options{RetryFailed: true})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Done("row-0") || r.Done("row-1") {
		t.Errorf("done: %v and %v", r.Done("row-0"), r.Done("row-1"))
	}
	add(t, r, record(1))
	closeRun(t, r)
}

// TestReadFrozen: a run in a folder that cannot be written can be read.
func TestReadFrozen(t *testing.T) {
	if os.Geteuid() == 0 {
		need.Unmet(t, need.Unprivileged, "root writes everywhere")
	}
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	closeRun(t, r)
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o755)
	if got := read(t, dir); len(got) != 1 {
		t.Errorf("%d rows", len(got))
	}
	if _, _, err := Open(dir, manifest(), Options{}); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("Open: %v", err)
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
		Messages: []chat.Message{record(0).Messages[0], {Role: "assistant", Text: "better 0"}},
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

// TestCheckRevisions: only the file that the rows give passes, with flags as this version or an older one writes them.
func TestCheckRevisions(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	flagged := record(0)
	flagged.Turns[2].Flags = []check.Flag{check.Cut, check.LeadIn}
	add(t, r, flagged, record(1))
	if err := r.Finish(nil); err != nil {
		t.Fatal(err)
	}
	closeRun(t, r)
	written := contents(t, dir, RevisionsFile)
	for _, c := range []struct {
		name, old, new string
		same           bool
	}{
		{"as written", "", "", true},
		{"the old name of a flag", `"lead-in"`, `"preamble"`, true},
		{"another flag", `"lead-in"`, `"empty"`, false},
		{"another text", "better 0", "worse 0", false},
		{"one more field", `{"id":"row-1"`, `{"more":1,"id":"row-1"`, false},
		{"another order of keys", `"response":"a draft","revision":"better 0"`, `"revision":"better 0","response":"a draft"`, false},
		{"white space", `"id":`, `"id": `, false},
		{"no end of the last line", written[len(written)-2:], "}", false},
		{"one more line", written, written + "{}\n", false},
	} {
		text := strings.Replace(written, c.old, c.new, 1)
		if c.old != "" && text == written {
			t.Fatalf("%s: %q is not in %s", c.name, c.old, written)
		}
		if err := os.WriteFile(filepath.Join(dir, RevisionsFile), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if same, err := CheckRevisions(dir); err != nil || same != c.same {
			t.Errorf("%s: same %v, %v", c.name, same, err)
		}
	}
}

// A list of failures does not outlive them.
func TestFailuresAreGone(t *testing.T) {
	dir := t.TempDir()
	r, _ := open(t, dir, manifest())
	add(t, r, record(0))
	if err := r.Finish([]prompts.BadRow{{File: "p.jsonl", Line: 2, Reason: "no prompt"}}); err != nil {
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
	if !ok || got.Revision != "" || got.Messages[1].Text != "a draft" {
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
		s.Flags[check.Cut] != 1 || s.Ends["length"] != 1 || s.Ends["end"] != 2 || s.Prompt != 460 || s.Reused != 400 || s.Decoded != 18 {
		t.Fatalf("%+v", s)
	}
	if n := len(s.Flags); n != len(check.Flags()) {
		t.Fatalf("%d flags, want all, at 0 too", n)
	}
}

// TestStatistics: what rounds and principles did, counted by hand.
func TestStatistics(t *testing.T) {
	rows := []revise.Record{record(0), record(1), failedRecord(2)}
	rows[1].Turns[2].Text = "a draft" // unchanged
	rows[1].Turns[0].Text, rows[1].Turns[2].Principle = "I cannot do that.", "frank"
	rows[1].Turns[1].Principle = "frank"
	s, err := Count(func(yield func(revise.Record, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	part := func(name string, answers, changed, refusals int, words, distinct float64, cut, prompt, reused, decoded int) Part {
		flags := map[check.Flag]int{}
		if cut > 0 {
			flags[check.Cut] = cut
		}
		return Part{Name: name, Answers: answers, Changed: changed, Refusals: refusals, Words: words, Distinct: distinct, Flags: flags, Prompt: prompt, Reused: reused, Decoded: decoded}
	}
	wantRounds := []Part{part("0", 2, 0, 1, 3, 1, 0, 200, 180, 6), part("1", 2, 2, 0, 2, 0, 2, 520, 440, 24)}
	wantPrinciples := []Part{part("frank", 1, 1, 0, 2, 0, 1, 260, 220, 12), part("kind", 1, 1, 0, 2, 0, 1, 260, 220, 12)}
	if !reflect.DeepEqual(s.Rounds, wantRounds) || !reflect.DeepEqual(s.Principles, wantPrinciples) || s.Rows != 3 {
		t.Errorf("rounds %+v\nprinciples %+v", s.Rounds, s.Principles)
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

	later.Results.Temperature, later.Results.System, later.Setup.Prompts = 0.5, "be brief", prompts.Paths{"other.jsonl"}
	_, _, err := Open(dir, later, Options{})
	var changed *ChangedError
	if !errors.As(err, &changed) {
		t.Fatalf("got %v, want a ChangedError", err)
	}
	want := []Change{{"system", `""`, `"be brief"`}, {"temperature", "1", "0.5"}}
	if !reflect.DeepEqual(changed.Changes, want) || len(changed.Setup) != 2 {
		t.Fatalf("changes %+v", changed)
	}
	if text := err.Error(); !strings.Contains(text, "\n  temperature: 1 → 0.5\n") || !strings.Contains(text, "another directory") {
		t.Fatal(text)
	}
}

// TestMoreRows: a run that is continued with a higher limit is whole when these rows are done, and its set-up is theirs. A
// lower limit changes nothing.
func TestMoreRows(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ rows, parallel, wantRows, wantParallel int }{{2, 2, 2, 2}, {6, 4, 6, 4}, {1, 1, 6, 4}, {6, 3, 6, 4}} {
		m := manifest()
		m.Setup.Rows, m.Setup.Limit, m.Setup.Parallel = c.rows, c.rows, c.parallel
		r, _ := open(t, dir, m)
		closeRun(t, r)
		kept, _, err := Read(dir)
		if err != nil || kept.Setup.Rows != c.wantRows || kept.Setup.Limit != c.wantRows || kept.Setup.Parallel != c.wantParallel {
			t.Errorf("after %d rows: %+v, %v", c.rows, kept.Setup, err)
		}
	}
}

// Every field of Results is compared, a new one too.
func TestEveryResultFieldIsCompared(t *testing.T) {
	for _, field := range leaves(reflect.TypeFor[Results](), nil) {
		m := manifest()
		switch f := reflect.ValueOf(&m.Results).Elem().FieldByIndex(field.Index); f.Kind() {
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
		case reflect.Pointer:
			f.Set(reflect.New(f.Type().Elem()))
		default:
			t.Fatalf("field %s has a type this test does not know", field.Name)
		}
		if got := changes(manifest().Results, m.Results); len(got) != 1 {
			t.Errorf("field %s: changes %v", field.Name, got)
		}
	}
}

// leaves are the fields of a struct and of the structs in it, with their index in the outermost.
func leaves(s reflect.Type, path []int) (out []reflect.StructField) {
	for i := range s.NumField() {
		f := s.Field(i)
		f.Index = append(slices.Clone(path), i)
		if f.Type.Kind() == reflect.Struct {
			out = append(out, leaves(f.Type, f.Index)...)
			continue
		}
		out = append(out, f)
	}
	return out
}

func TestNotARun(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, manifest(), Options{}); !errors.Is(err, ErrNotARun) {
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
	if err := os.WriteFile(filepath.Join(dir, ManifestFile), []byte(`{"format":1}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir, manifest(), Options{}); err == nil || !strings.Contains(err.Error(), "format 1") {
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
