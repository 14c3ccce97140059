package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/feedback"
	"amend/engine/plainjson"
	"amend/engine/revise"
)

var update = flag.Bool("update", false, "write the golden files")

// trace makes a record whose answers are these texts, the first response first; a text with a flag in front, as in
// "cut:text", carries it.
func trace(id string, answers ...string) revise.Record {
	rec := revise.Record{ID: id, Seed: 1<<63 + 7, Messages: []chat.Message{{Role: chat.System, Text: "Be brief."}, {Role: chat.User, Text: "Question " + id + "?"}}}
	for i, text := range answers {
		turn := revise.Turn{Kind: revise.Response, Text: text}
		if flag, rest, ok := strings.Cut(text, ":"); ok {
			turn.Text, turn.Flags = rest, []check.Flag{check.Flag(flag)}
		}
		if i > 0 {
			principle := "p" + fmt.Sprint(i)
			rec.Turns = append(rec.Turns, revise.Turn{Kind: revise.Critique, Round: i, Principle: principle, Text: "It is <bad>."})
			turn.Kind, turn.Round, turn.Principle = revise.Revision, i, principle
		}
		rec.Turns = append(rec.Turns, turn)
	}
	return rec
}

func failing(id string) revise.Record {
	rec := trace(id, "half")
	rec.Error = "the prompt needs 9 tokens, there are 8"
	return rec
}

// foundCleanIn has a verdict find a row's answer clean.
func foundCleanIn(rec revise.Record) revise.Record {
	rec.Gated = &revise.Gated{Clean: 1, Verdicts: []revise.Verdict{{Round: 1, Verdict: feedback.Verdict{P: 0.9}}}}
	return rec
}

// refusedIn has a gate refuse a row's last revision.
func refusedIn(rec revise.Record) revise.Record {
	rec.Gated = &revise.Gated{Stayed: []int{1}}
	rec.Turns[len(rec.Turns)-1].Gate = &revise.Decision{Refused: revise.NotPreferred}
	return rec
}

// untriedIn is a row of a loop that would have tried again.
func untriedIn(rec revise.Record) revise.Record {
	rec.Gated = &revise.Gated{Verdicts: []revise.Verdict{}}
	return rec
}

// critiqueOnly takes a row's last revision away.
func critiqueOnly(rec revise.Record) revise.Record {
	rec.Turns = rec.Turns[:len(rec.Turns)-1]
	return rec
}

// declinedIn is a row that ended, since its answer declines.
func declinedIn(rec revise.Record) revise.Record {
	rec.Gated = &revise.Gated{Verdicts: []revise.Verdict{}, Declined: len(rec.Answers())}
	return rec
}

// foundNothingIn is a row whose last critique found nothing.
func foundNothingIn(rec revise.Record) revise.Record {
	rec = critiqueOnly(rec)
	rec.Turns[len(rec.Turns)-1].Gate = &revise.Decision{Refused: revise.FoundNothing}
	return rec
}

func rowsOf(records ...revise.Record) iter.Seq2[revise.Record, error] {
	return func(yield func(revise.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, o Options, records ...revise.Record) (dir string, r *Report) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "set")
	if o.Encoding == "" {
		o.Encoding = JSONL
	}
	if o.ShardBytes == 0 {
		o.ShardBytes = 1 << 20
	}
	from := Source{Rows: rowsOf(records...), Name: "a run", Facts: []Fact{{"model", "m|n"}, {ConstitutionFact, "c"}}, Constitution: []byte("name: c\n")}
	r, err := Write(dir, from, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, r
}

// read gives the lines of all JSONL files of a split.
func read(t testing.TB, dir, split string) (out []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "data", split+"-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			out = append(out, strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}

// TestRawIsFiltered: whole traces are kept by principle and length, as examples are.
func TestRawIsFiltered(t *testing.T) {
	long := trace("long", "no", strings.Repeat("x", 100))
	_, r := write(t, Options{Format: Raw, Principles: []string{"p2"}}, trace("a", "no", "yes"), trace("b", "no", "yes", "better"))
	_, s := write(t, Options{Format: Raw, MaxChars: 80}, trace("a", "no", "yes"), long)
	if r.Examples[trainSplit] != 1 || r.LeftOut[OffPrinciple] != 1 || s.Examples[trainSplit] != 1 || s.LeftOut[TooLong] != 1 {
		t.Errorf("%+v and %+v", r, s)
	}
}

// TestFormats: what each format makes of rows, in golden files with the card.
func TestFormats(t *testing.T) {
	records := []revise.Record{
		trace("a", "bad", "better", "best"),
		trace("b", "bad", "better", "cut:be"),
		trace("c", "good", "unchanged:good"),
		trace("d", "empty:"),
		failing("e"),
		trace("f", "bad", "lead-in:Here it is."),
		foundCleanIn(trace("g", "I would ask the others, and that is all.")),
		refusedIn(trace("h", "bad", "worse")),
		trace("i", "cut:bad", "better"),
	}
	for _, f := range Formats() {
		dir, _ := write(t, Options{Format: f, Hygiene: true}, records...)
		card, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(read(t, dir, "train"), "\n") + "\n\n" + string(card)
		path := filepath.Join("testdata", string(f)+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s", f, got)
		}
	}
}

// TestChoices: which answer a row gives, or why none.
func TestChoices(t *testing.T) {
	sft, dpo := Options{Format: SFT, Hygiene: true}, Options{Format: DPO, Hygiene: true}
	with := func(o Options, change func(*Options)) Options { change(&o); return o }
	keep := with(sft, func(o *Options) { o.KeepFirst = true })
	every := with(sft, func(o *Options) { o.AllRevisions = true })
	thirty := ""
	for i := range 30 {
		thirty += fmt.Sprintf("w%d ", i)
	}
	for _, tt := range []struct {
		name string
		o    Options
		rec  revise.Record
		want string // answers, separated by |, or the reason
	}{
		{"the last revision", sft, trace("x", "a", "b", "c"), "c"},
		{"the last clean one", sft, trace("x", "a", "b", "repeating:c"), "b"},
		{"no first response whose revision is flagged", sft, trace("x", "a", "cut:b"), "flagged"},
		{"unless it is asked for", keep, trace("x", "a", "cut:b"), "a"},
		{"and has no fault itself", keep, trace("x", "cut:a", "cut:b"), "flagged"},
		{"nothing clean", sft, trace("x", "cut:a", "cut:b"), "flagged"},
		{"all of them, without hygiene", with(sft, func(o *Options) { o.Hygiene = false }), trace("x", "a", "cut:b"), "b"},
		{"every revision", every, trace("x", "a", "b", "cut:c", "d"), "b|d"},
		{"every revision, where the first is not clean", every, trace("x", "a", "cut:b", "c"), "c"},
		{"every revision, where none is clean", every, trace("x", "a", "cut:b"), "flagged"},
		{"every revision, the same text once", every, trace("x", "a", "b", "unchanged:B!", "c"), "b|c"},
		{"no revision that is the first response again", sft, trace("x", "a", "unchanged:A"), "unchanged"},
		{"unless first responses are kept", keep, trace("x", "a", "unchanged:A"), "a"},
		{"changed and back", sft, trace("x", "a", "b", "a"), "b"},
		{"broken characters", sft, trace("x", "a", "make her sleep.\ufffd safety"), "flagged"},
		{"a first response that was found clean", sft, foundCleanIn(trace("x", "a")), "a"},
		{"found clean by verdicts that failed their test", with(sft, func(o *Options) { o.Distrust = true }), foundCleanIn(trace("x", "a")), "found-clean"},
		{"found clean, but with a fault", sft, foundCleanIn(trace("x", "cut:a")), "flagged"},
		{"found clean, where only revisions are wanted", with(sft, func(o *Options) { o.DropUnchanged = true }), foundCleanIn(trace("x", "a")), "unchanged"},
		{"a revision that was found clean", sft, foundCleanIn(trace("x", "a", "b")), "b"},
		{"a flagged revision that was found clean", sft, foundCleanIn(trace("x", "a", "cut:b")), "flagged"},
		{"a first response whose revision the gate refused", sft, refusedIn(trace("x", "a", "b")), "refused"},
		{"the same, kept", keep, refusedIn(trace("x", "a", "b")), "a"},
		{"a critique without a revision", sft, critiqueOnly(trace("x", "a", "b")), "unrevised"},
		{"a critique that found nothing", sft, foundNothingIn(trace("x", "a", "b")), "nothing-found"},
		{"the same, kept", keep, foundNothingIn(trace("x", "a", "b")), "a"},
		{"no pair of it", dpo, foundNothingIn(trace("x", "a", "b")), "nothing-found"},
		{"a critique that found nothing after a revision", dpo, foundNothingIn(trace("x", "a", "b", "c")), "b"},
		{"a critique that found nothing after a flagged one", sft, foundNothingIn(trace("x", "a", "cut:b", "c")), "flagged"},
		{"a first response that declines", sft, declinedIn(trace("x", "a")), "declines"},
		{"the same, kept", keep, declinedIn(trace("x", "a")), "a"},
		{"no pair of one", dpo, declinedIn(trace("x", "a")), "declines"},
		{"a revision that declines", sft, declinedIn(trace("x", "a", "b")), "b"},
		{"a run without revisions", sft, trace("x", "a"), "a"},
		{"a run without revisions, under a loop that tries again", sft, untriedIn(trace("x", "a")), "a"},
		{"a failed row", sft, failing("x"), "failed"},
		{"a pair", dpo, trace("x", "a", "b", "c"), "c"},
		{"a pair of the last clean change", dpo, trace("x", "a", "b", "lead-in:c"), "b"},
		{"no pair of equals", dpo, trace("x", "a", "unchanged:a"), "unchanged"},
		{"no pair of flagged ones", dpo, trace("x", "a", "empty:."), "flagged"},
		{"no pair without revisions", dpo, trace("x", "a"), "unrevised"},
		{"no pair where nothing was to be revised", dpo, foundCleanIn(trace("x", "a")), "found-clean"},
		{"no pair of a refused revision", dpo, refusedIn(trace("x", "a", "b")), "refused"},
		{"nothing cut to reject", dpo, trace("x", "cut:a", "b"), "rejected-flagged"},
		{"nothing broken to reject", dpo, trace("x", "a\ufffd", "b"), "rejected-flagged"},
		{"a lead-in is a fault of revisions alone", dpo, trace("x", "lead-in:a", "b"), "b"},
		{"something cut to reject, without hygiene", with(dpo, func(o *Options) { o.Hygiene = false }), trace("x", "cut:a", "b"), "b"},
		{"no pair with one word in thirty changed", dpo, trace("x", thirty, strings.Replace(thirty, "w7", "other", 1)), "alike"},
		{"a pair with two of thirty", dpo, trace("x", thirty, strings.Replace(thirty, "w7 w8", "one other", 1)), strings.Replace(thirty, "w7 w8", "one other", 1)},
		{"no pair in another order", dpo, trace("x", "one two three", "three two one"), "alike"},
		{"no pair of two refusals", dpo, trace("x", "I'm sorry, but I can't assist with that.", "I cannot help you with this request."), "both-decline"},
		{"a pair of a refusal and a reason", dpo, trace("x", "I can't assist with that.", "I can't assist with that. "+thirty), "I can't assist with that. " + thirty},
		{"a principle that was drawn", with(dpo, func(o *Options) { o.Principles = []string{"p2"} }), trace("x", "a", "b", "c"), "c"},
		{"one that was not", with(dpo, func(o *Options) { o.Principles = []string{"p3"} }), trace("x", "a", "b", "c"), "principle"},
		{"one drawn after the answer", with(sft, func(o *Options) { o.Principles = []string{"p2"} }), trace("x", "a", "b", "cut:c"), "principle"},
		{"as long as may be", with(sft, func(o *Options) { o.MaxChars = 9 + 11 + 1 }), trace("x", "a", "ü"), "ü"},
		{"too long", with(sft, func(o *Options) { o.MaxChars = 9 + 11 }), trace("x", "a", "ü"), "too-long"},
		{"a rejected one too long", with(dpo, func(o *Options) { o.MaxChars = 9 + 11 + 1 }), trace("x", "aa", "b"), "too-long"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			candidates, why := tt.o.choose(&tt.rec)
			for _, c := range candidates {
				if r := tt.o.refuse(c); r != "" {
					why = r
					continue
				}
				got = append(got, c.answer)
			}
			if len(got) == 0 {
				got = []string{string(why)}
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("%s, want %s", s, tt.want)
			}
		})
	}
}

// TestSplits: a prompt is in one split and one part, whatever is exported, and shares are about what was asked for.
func TestSplits(t *testing.T) {
	var records []revise.Record
	for i := range 2000 {
		records = append(records, trace(fmt.Sprint(i), "bad", "good "+fmt.Sprint(i)))
	}
	ids := func(o Options, split string) []string {
		dir, _ := write(t, o, records...)
		var out []string
		for _, line := range read(t, dir, split) {
			var row struct{ ID string }
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			out = append(out, row.ID)
		}
		return out
	}
	train, test := ids(Options{Format: SFT, TestShare: 0.1}, "train"), ids(Options{Format: SFT, TestShare: 0.1}, "test")
	if n := len(test); n < 150 || n > 250 || len(train)+n != 2000 {
		t.Errorf("%d rows to train on, %d to test", len(train), n)
	}
	if again := ids(Options{Format: DPO, TestShare: 0.1}, "test"); !slices.Equal(test, again) {
		t.Error("dpo tests on other prompts than sft")
	}
	sft, dpo := ids(Options{Format: SFT, Disjoint: true}, "train"), ids(Options{Format: DPO, Disjoint: true}, "train")
	if n := len(sft); n < 900 || n > 1100 || n+len(dpo) != 2000 {
		t.Errorf("%d and %d rows of disjoint parts", len(sft), len(dpo))
	}
	for _, id := range sft {
		if slices.Contains(dpo, id) {
			t.Fatalf("row %s is in both parts", id)
		}
	}
	inTest := 0
	for _, id := range test {
		if slices.Contains(sft, id) {
			inTest++
		}
	}
	if inTest < len(test)/3 || inTest > 2*len(test)/3 {
		t.Errorf("%d of %d test prompts are in one part: split and part depend on each other", inTest, len(test))
	}
}

// TestShards: any limit gives the same rows in order, files as large as asked, and names that say how many there are.
func TestShards(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, limit := rapid.IntRange(1, 40).Draw(rt, "rows"), rapid.Int64Range(1, 4000).Draw(rt, "bytes")
		encoding := rapid.SampledFrom(Encodings()).Draw(rt, "encoding")
		var records []revise.Record
		for i := range n {
			records = append(records, trace(fmt.Sprint(i), "bad", strings.Repeat("good ", rapid.IntRange(1, 60).Draw(rt, "words"))))
		}
		whole, _ := write(t, Options{Format: SFT}, records...)
		dir, r := write(t, Options{Format: SFT, Encoding: encoding, ShardBytes: limit}, records...)
		for i, name := range r.Files {
			if want := fmt.Sprintf("data/train-%05d-of-%05d.%s", i, len(r.Files), encoding); name != want {
				rt.Errorf("file %s, want %s", name, want)
			}
		}
		var got []string
		if encoding == JSONL {
			got = read(t, dir, "train")
		} else {
			got = readParquet(t, dir, r.Files)
		}
		if want := read(t, whole, "train"); !slices.Equal(got, want) {
			rt.Errorf("%d rows in shards, want %d:\n%v\n%v", len(got), len(want), got, want)
		}
		if r.Examples["train"] != n || len(r.Files) > n {
			rt.Errorf("%d rows, %d files: %+v", n, len(r.Files), r.Examples)
		}
	})
}

// readParquet reads rows as JSON lines.
func readParquet(t testing.TB, dir string, files []string) (out []string) {
	t.Helper()
	for _, name := range files {
		rows, err := parquet.ReadFile[sftRow](filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if row.Principles == nil {
				row.Principles = []string{}
			}
			line, err := plainjson.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(line))
		}
	}
	return out
}

// TestSameBytes: two exports of a run are the same, file by file.
func TestSameBytes(t *testing.T) {
	records := []revise.Record{trace("a", "bad", "good"), trace("b", "bad", "good")}
	for _, f := range Formats() {
		for _, e := range Encodings() {
			one, r := write(t, Options{Format: f, Encoding: e}, records...)
			two, _ := write(t, Options{Format: f, Encoding: e}, records...)
			for _, name := range append(r.Files, "README.md", "constitution.yaml") {
				a, err := os.ReadFile(filepath.Join(one, name))
				b, err2 := os.ReadFile(filepath.Join(two, name))
				if err != nil || err2 != nil || !bytes.Equal(a, b) {
					t.Errorf("%s %s: %s differs, %v %v", f, e, name, err, err2)
				}
			}
		}
	}
}

// TestNothingHalfDone: an export that fails leaves nothing, one into a folder in use is refused, and what a killed
// process left is no hindrance.
func TestNothingHalfDone(t *testing.T) {
	parent := t.TempDir()
	out := filepath.Join(parent, "set")
	o := Options{Format: SFT, Encoding: Parquet, ShardBytes: 1}
	broken := errors.New("the store is damaged")
	_, err := Write(out, Source{Rows: func(yield func(revise.Record, error) bool) {
		_ = yield(trace("a", "bad", "good"), nil) && yield(revise.Record{}, broken)
	}}, o)
	if !errors.Is(err, broken) {
		t.Errorf("a damaged store: %v", err)
	}
	if entries, err := os.ReadDir(parent); err != nil || len(entries) > 0 {
		t.Errorf("it left %v %v", entries, err)
	}
	if err := os.MkdirAll(filepath.Join(out+".partial", "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(out+".partial", "data", "train-00009.tmp"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	from := Source{Rows: rowsOf(trace("a", "bad", "good"))}
	if _, err := Write(out, from, o); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(out, "data", "train-00009.tmp")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what the killed process left is in the set: %v", err)
	}
	if _, err := Write(out, from, o); err == nil || !strings.Contains(err.Error(), "has something in it") {
		t.Errorf("into a folder in use: %v", err)
	}
}

// TestCardHeader: what the card says of columns and splits is what the files hold.
func TestCardHeader(t *testing.T) {
	for _, f := range Formats() {
		dir, r := write(t, Options{Format: f, TestShare: 0.5}, trace("a", "bad", "good"), trace("b", "bad", "good"), trace("c", "bad", "good"), trace("d", "bad", "good"))
		card, err := os.ReadFile(filepath.Join(dir, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(card), "---\n")
		text, _, _ = strings.Cut(text, "\n---\n")
		var h header
		if err := yaml.Unmarshal([]byte(text), &h); err != nil {
			t.Fatal(err)
		}
		for i, split := range h.Info.Splits {
			lines := read(t, dir, split.Name)
			if split.Rows != len(lines) || split.Rows != r.Examples[split.Name] || h.Configs[0].Files[i].Split != split.Name {
				t.Errorf("%s: the card says %+v of %d lines", f, split, len(lines))
			}
			for _, line := range lines {
				var row map[string]any
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatal(err)
				}
				if len(row) != len(h.Info.Features) {
					t.Errorf("%s: %d columns, the card has %d", f, len(row), len(h.Info.Features))
				}
				for _, c := range h.Info.Features {
					if _, ok := row[c.Name]; !ok {
						t.Errorf("%s: no column %s in %s", f, c.Name, line)
					}
				}
			}
		}
		// JSON and Parquet have the same names.
		var names []string
		for _, c := range parquet.SchemaOf((&Options{Format: f}).empty()).Fields() {
			names = append(names, c.Name())
		}
		for _, c := range features(reflect.TypeOf((&Options{Format: f}).empty())) {
			if !slices.Contains(names, c.Name) {
				t.Errorf("%s: the column %s is not one of Parquet's %v", f, c.Name, names)
			}
		}
	}
}

// TestRawTries: tries of a round that a gate refused can be told apart, in either encoding.
func TestRawTries(t *testing.T) {
	type turn struct {
		Kind    string `json:"kind" parquet:"kind"`
		Round   int32  `json:"round" parquet:"round"`
		Try     int32  `json:"try" parquet:"try"`
		Refused string `json:"refused" parquet:"refused"`
	}
	type row struct {
		Turns []turn `json:"turns" parquet:"turns,list"`
	}
	rec := trace("a", "bad", "worse")
	rec.Turns[2].Gate = &revise.Decision{Refused: revise.NotPreferred}
	rec.Turns = append(rec.Turns,
		revise.Turn{Kind: revise.Critique, Round: 1, Try: 1, Principle: "p2"},
		revise.Turn{Kind: revise.Revision, Round: 1, Try: 1, Principle: "p2", Text: "better", Gate: &revise.Decision{}})
	no := string(revise.NotPreferred)
	want := []turn{{"response", 0, 0, ""}, {"critique", 1, 0, ""}, {"revision", 1, 0, no}, {"critique", 1, 1, ""}, {"revision", 1, 1, ""}}

	dir, _ := write(t, Options{Format: Raw}, rec)
	var line row
	if err := json.Unmarshal([]byte(read(t, dir, "train")[0]), &line); err != nil {
		t.Fatal(err)
	}
	dir, _ = write(t, Options{Format: Raw, Encoding: Parquet}, rec)
	rows, err := parquet.ReadFile[row](filepath.Join(dir, "data", "train-00000-of-00001.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(line.Turns, want) || len(rows) != 1 || !slices.Equal(rows[0].Turns, want) {
		t.Errorf("as JSON %v, as Parquet %v, want %v", line.Turns, rows, want)
	}
}
