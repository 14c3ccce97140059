package records

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// column is the Options.Column of the tests.
func column(name string) bool { return name == "prompt" || name == "messages" }

// read reads an input, and shows its form and its records.
func read(name, text string, max int) (string, error) {
	r, err := Open(name, strings.NewReader(text), Options{Max: max, Column: column})
	if err != nil {
		return "", err
	}
	defer r.Close()
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", r.Form())
	for {
		rec, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return b.String(), nil
		case err != nil:
			return b.String(), err
		case rec.Err != nil:
			fmt.Fprintf(&b, " %d!", rec.Line)
		default:
			fmt.Fprintf(&b, " %d %s", rec.Line, rec.Value)
		}
	}
}

// TestForms: what is read as what, with the line of each record.
func TestForms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.jsonl", "{\"prompt\":1}\n\n {\"prompt\":2} \n", `JSONL: 1 {"prompt":1} 3  {"prompt":2} `},
		{"a.jsonl", "{\"prompt\":1},\r\n{\"prompt\":2},\r\n", `JSONL: 1 {"prompt":1} 2 {"prompt":2}`},
		{"a.jsonl", "{\"prompt\":\n{\"prompt\":2}\n", `JSONL: 1! 2 {"prompt":2}`},
		{"a.jsonl", "{\"prompt\": \"cut\n{\"prompt\":2}\n", `JSONL: 1! 2 {"prompt":2}`},
		{"a.jsonl", `{"prompt": NaN, "a": [-Infinity, "NaN \" NaN", Infinity]}`, `JSONL: 1 {"prompt": null, "a": [null, "NaN \" NaN", null]}`},
		{"a.jsonl", "{'prompt': 1}\n{\"prompt\":2}", `JSONL: 1! 2 {"prompt":2}`},
		{"a.jsonl", "\"one\"\n\"two\",\n", `JSONL of texts: 1 "one" 2 "two"`},
		{"a.jsonl", "[{\"role\":1,\"content\":2}]\n[{\"role\":3,\"content\":4}]", `JSONL: 1 [{"role":1,"content":2}] 2 [{"role":3,"content":4}]`},
		{"a.json", `[{"role":1,"content":2}]`, `JSONL: 1 [{"role":1,"content":2}]`},
		{"a.json", "[\n{\"from\":1,\n\"value\":2}]", "JSON values: 1 [\n{\"from\":1,\n\"value\":2}]"},
		{"a.json", `[[{"role":1,"content":2}],[3]]`, `a JSON list: 1 [{"role":1,"content":2}] 1 [3]`},
		{"a.json", `["a", "b"]`, `a JSON list: 1 "a" 1 "b"`},
		{"a.json", "\n[\n  {\"prompt\": NaN},\n  {\"prompt\": {\"b\": \"]\"}}\n]\n", `a JSON list: 3 {"prompt": null} 4 {"prompt": {"b": "]"}}`},
		{"a.json", `[{"prompt":1},]`, `a JSON list: 1 {"prompt":1}`},
		{"a.json", "{\n\"prompt\": 1\n}\n{\n\"prompt\": 2\n},", "JSON values: 1 {\n\"prompt\": 1\n} 4 {\n\"prompt\": 2\n}"},
		{"a.json", `{"features": [{"a": 1}], "data": [{"prompt":1},{"prompt":2}], "x": {"y": [1]}}`, `a JSON list in "data": 1 {"prompt":1} 1 {"prompt":2}`},
		{"a.json", `{"prompts": ["a", "b"]}`, `a JSON list in "prompts": 1 "a" 1 "b"`},
		{"a.json", `{"data": ["a", "b"]}`, `JSONL: 1 {"data": ["a", "b"]}`},
		{"a.json", `{"examples": [{"a":1}], "prompt": 2}`, `JSONL: 1 {"examples": [{"a":1}], "prompt": 2}`},
		{"a.jsonl", "{\"data\": [{\"a\":1}]}\n{\"prompt\": 2}", `JSONL: 1 {"data": [{"a":1}]} 2 {"prompt": 2}`},
		{"a.csv", "prompt,n\r\n\"a, \"\"b\"\"\r\nc\",\r\n\r\nd\"e,2", `CSV: 2 {"prompt":"a, \"b\"\r\nc","n":null} 5 {"prompt":"d\"e","n":"2"}`},
		{"a.csv", "prompt;n\nx;y\nz\n", `CSV: 2 {"prompt":"x","n":"y"} 3!`},
		{"a.csv", ",prompt\n0,x\n", `CSV: 2 {"Unnamed: 0":"0","prompt":"x"}`},
		{"a.csv", "id, prompt\n1, \"a, b\"\n2, c\n", `CSV: 2 {"id":"1","prompt":"a, b"} 3 {"id":"2","prompt":"c"}`},
		{"a.csv", "id,prompt\n1, \"a\"\n2, \"a, b\"\n3, c\n", `CSV: 2! 3! 4 {"id":"3","prompt":" c"}`},
		{"a.csv", "id,prompt\n1,a\nid,prompt\n2,b\n\ufeffid,prompt\n3,c\n", `CSV: 2 {"id":"1","prompt":"a"} 3! 4 {"id":"2","prompt":"b"} 5! 6 {"id":"3","prompt":"c"}`},
		{"a.csv", "prompt,n\r\r\na,b\r\r\n\"c\",\"d\"\r\r\n\x1a", `CSV: 2 {"prompt":"a","n":"b"} 3 {"prompt":"c","n":"d"}`},
		{"a.csv", "prompt,n,m\nNULL,nan,\\N\nNA,None,\"NaN\"\n", `CSV: 2 {"prompt":null,"n":null,"m":null} 3 {"prompt":"NA","n":"None","m":"NaN"}`},
		{"a.tsv", "prompt\tn\na, b\t\"c\td\"\n", `TSV: 2 {"prompt":"a, b","n":"c\td"}`},
		{"-", "\"prompt\",\"n\"\na,b\n", `CSV: 2 {"prompt":"a","n":"b"}`},
		{"-", "Prompt,N\na,b\n", `CSV: 2 {"Prompt":"a","N":"b"}`},
		{"-", "prompt\n", `plain text, a prompt a line: 1 "prompt"`},
		{"a.json", `{"test": [], "data": [{"prompt":1}], "dev": []}`, `a JSON list in "data": 1 {"prompt":1}`},
		{"-", "prompt\nHow are you?\n", `CSV: 2 {"prompt":"How are you?"}`},
		{"rows", "\"prompt\"\n\"a, b\"\n", `CSV: 2 {"prompt":"a, b"}`},
		{"a.csv", "sep=;\nid;prompt\n1;a, b\n", `CSV: 3 {"id":"1","prompt":"a, b"}`},
		{"a.csv", "Question\nWhy, then?\nHow?\n", `CSV: 2! 3 {"Question":"How?"}`},
		{"a.txt", "Hello, you\nPlease, help\n", `plain text, a prompt a line: 1 "Hello, you" 2 "Please, help"`},
		{"a.txt", "Red,green,blue?\none,two,three\n", `plain text, a prompt a line: 1 "Red,green,blue?" 2 "one,two,three"`},
		{"a.txt", "1,000 or more\n2,000 or more\n", `plain text, a prompt a line: 1 "1,000 or more" 2 "2,000 or more"`},
		{"a.txt", "\ufeffone\r\r\ntwo\r\r\n\ufeffthree\r\r\n\x1a", `plain text, a prompt a line: 1 "one" 2 "two" 3 "three"`},
		{"a.jsonl", "{\"prompt\":1}\n\ufeff{\"prompt\":2}\n", `JSONL: 1 {"prompt":1} 2 {"prompt":2}`},
		{"a.txt", "<html> - what does it do?\n<b>Why</b> bold?\n", `plain text, a prompt a line: 1 "\u003chtml\u003e - what does it do?" 2 "\u003cb\u003eWhy\u003c/b\u003e bold?"`},
		{"a.txt", "<!DOCTYPE html> is what?\n", `plain text, a prompt a line: 1 "\u003c!DOCTYPE html\u003e is what?"`},
		{"a.txt", "ARROW1 what\n", `plain text, a prompt a line: 1 "ARROW1 what"`},
		{"a.txt", "%PDF- what is it?\n", `plain text, a prompt a line: 1 "%PDF- what is it?"`},
		{"a.txt", "BZh is a start\n", `plain text, a prompt a line: 1 "BZh is a start"`},
		{"a.txt", "oid sha256: what is it?\n", `plain text, a prompt a line: 1 "oid sha256: what is it?"`},
		{"a.txt", "['a', 'b'] - sort this\n", `plain text, a prompt a line: 1 "['a', 'b'] - sort this"`},
		{"a.txt", "can\nyou\nhelp\n", `plain text, a prompt a line: 1 "can" 2 "you" 3 "help"`},
		{"a.txt", "One?\n\n  Two?  \r\n", `plain text, a prompt a line: 1 "One?" 3 "  Two?  "`},
		{"a.txt.gz", "[INST] hi\n[1] hi", `plain text, a prompt a line: 1 "[INST] hi" 2 "[1] hi"`},
		{"-", "[\"a\"] is what?\n", `plain text, a prompt a line: 1 "[\"a\"] is what?"`},
		{"prompts", "\"To be\" - who said it?\n\"or not\"\n", `plain text, a prompt a line: 1 "\"To be\" - who said it?" 2 "\"or not\""`},
		{"a.txt", "\"To be\"\nor not\n", `plain text, a prompt a line: 1 "\"To be\"" 2 "or not"`},
		{"a.txt", "a \xff b\nc", `plain text, a prompt a line: 1! 2 "c"`},
		{"a.txt", "{name} is who?\n{\"x\"} or {y}?", `plain text, a prompt a line: 1 "{name} is who?" 2 "{\"x\"} or {y}?"`},
		{"a.txt", "{\"a\": 1} is what?\nb\n", `plain text, a prompt a line: 1 "{\"a\": 1} is what?" 2 "b"`},
		{"a.txt", "[\"a\",\"b\"] sorted?\nb\n", `plain text, a prompt a line: 1 "[\"a\",\"b\"] sorted?" 2 "b"`},
		{"a.md", "{\"prompt\":1}", `JSONL: 1 {"prompt":1}`},
	} {
		got, err := read(c.name, c.text, 0)
		if err != nil || got != c.want {
			t.Errorf("%s %q:\n%s, %v\nwant\n%s", c.name, c.text, got, err, c.want)
		}
		if bommed, err := read(c.name, bom+c.text, 0); err != nil || bommed != got {
			t.Errorf("%s %q with a mark: %s, %v", c.name, c.text, bommed, err)
		}
	}
}

// TestSkippedMembers: what else is in an object with rows is named.
func TestSkippedMembers(t *testing.T) {
	r, err := Open("a.json", strings.NewReader(`{"version": 1, "data": [{"prompt":1}], "more": {}}`), Options{Column: column})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Next()
	}
	if want := `a JSON list in "data", without version, more`; r.Form() != want {
		t.Errorf("%s, want %s", r.Form(), want)
	}
}

// TestRefused: what is not understood says why and what to do.
func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a", "", "empty"},
		{"a", " \n\n", "blank lines"},
		{"a.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"},
		{"a.jsonl", "\n<!doctype html>\n", "HTML"},
		{"-", "<html lang=en>", "HTML"},
		{"a.txt", "%PDF-1.7\n", "PDF"},
		{"a", "\x80\x04\x95", "pickle"},
		{"a.arrow", "ARROW1\x00\x00", "Arrow"},
		{"a.arrow", "\xff\xff\xff\xff\x10\x00", "Arrow"},
		{"a.db", "SQLite format 3\x00", "sqlite3"},
		{"a.txt", "\xff\xfeh\x00", "UTF-16"},
		{"a.txt", "\xff\xfe\x00\x00h\x00\x00\x00", "UTF-32"},
		{"a.txt", "h\x00i\x00?\x00\n\x00", "UTF-16"},
		{"a.txt", "\x00h\x00i\x00?\x00\n", "UTF-16"},
		{"a.txt", "one\rtwo\rthree\r\n", "CR alone"},
		{"a.csv", "id,prompt\r1,\"a\nb\"\r2,c\r", "CR alone"},
		{"-", "\x7fELF\x02\x01\x00\x00", "binary"},
		{"rows", "\x0c\x00\x00abcd\nWhat is up?\n", "binary"},
		{"a.safetensors", "\x14\x00\x00{}\nfoo\n", "binary"},
		{"a.txt", "{\\rtf1\\ansi\n", "RTF"},
		{"a.txt", "['How are you?', 'Tell me']\n", "Python"},
		{"a.txt", "[\n'How are you?',\n'Tell me'\n]\n", "Python"},
		{"a.txt", "(lp0\nVHow are you?\np1\na.", "pickle"},
		{"a", "ccopy_reg\n_reconstructor\np0\n(", "pickle"},
		{"a.txt", "404: Not Found", "server's answer"},
		{"a.txt", "<!-- c -->\n<div>hi</div>\n", "HTML or XML"},
		{"a.txt", "<prompts>\n<p>Why?</p>\n</prompts>\n", "HTML or XML"},
		{"a.txt", "<rss version='2'> <p>Why?</p>\n</rss>\n", "HTML or XML"},
		{"a.txt", "one\rtwo\rthree\r", "CR alone"},
		{"a.jsonl", "One?\nTwo?\n", "line 1: not JSON"},
		{"a.yaml", "- prompt: a\n", ".yaml is not read; write the prompts as JSONL"},
		{"a.log", "a\n", "name the file .txt"},
		{"a.txt", "prompt,response\na,b\n", "looks like the header"},
		{"a.txt", "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n", "jq -Rs"},
		{"a.txt", "System: s\nUser: a\nAssistant:\n", "a conversation of two speakers"},
		{"-", "USER: a\nASSISTANT: b\n", "a conversation of two speakers"},
		{"a.jsonl", "id,prompt\n1,a\n", "name the file .csv"},
		{"a.txt", "<html>Not here</html>\n", "HTML"},
		{"a.txt", "Prompt,Category\na,b\n", "name the file .csv; if"},
		{"a.txt", "Index,Goals,Target\n0,\"Explain, how\",Sure\n", "name the file .csv and name the prompts' column with --map"},
		{"-", "Index,Goals,Target\n0,\"Explain, how\",Sure\n", "looks like the header"},
		{"rows", "Index\tGoals\n0\tWhy?\n", "name the file .tsv"},
		{"a.dat", "Index,Goals\n0,Why?\n", "looks like the header"},
		{"a.txt", "prompt\nHow are you?\n", "looks like the header"},
		{"a.txt", "Prompts\nHow are you?\n", "looks like the header"},
		{"a.txt", "\"prompt\"\n\"How are you?\"\n", "looks like the header"},
		{"-", "id|prompt\n1|a\n", "with commas"},
		{"a.csv", "id|prompt\n1|a\n", "with commas"},
		{"a.tsv", "id,prompt\n1,a\n", "name the file .csv"},
		{"a.csv", "A report\n\nid,prompt\n1,a\n", "a title stands above"},
		{"a.json", "[\n\"a\", [1", "line 2: the JSON value that begins here never ends"},
		{"a.json", "[\n{\"prompt\":1},\n{\"prompt\":", "line 3"},
		{"a.json", "[\n{\"prompt\":1}\n{\"prompt\":2}]", "line 3: '{', expected a comma"},
		{"a.json", "[{\"prompt\":1}] [2]", "after the end"},
		{"a.json", "{\n\"prompt\": [1}\n}", "line 2: '}', expected ']'"},
		{"a.json", `{"train": [{"prompt":1}], "test": [{"prompt":2}]}`, `two lists of rows, "train" and "test"`},
		{"a.json", `{"train": [{"prompt":1}], "dev": [{"prompt":2}]}`, `two lists of rows, "train" and "dev"; take one: jq .train`},
		{"a.json", `{"val": [{"prompt":1}], "train": [{"prompt":2}]}`, `two lists of rows, "val" and "train"`},
		{"a.json", `{"system": "s", "prompts": ["a"]}`, `system stands beside the list "prompts"`},
		{"a.json", `{"easy": [{"prompt":1}], "train": [{"prompt":2}]}`, `two lists of rows, "train" and "easy"`},
		{"a.json", `{"harmful": [{"prompt":1}], "harmless": [{"prompt":2}]}`, `two lists of rows`},
		{"a.json", `{"columns": ["prompt"], "index": [0], "data": [["a"]]}`, "orient='records'"},
		{"a.csv", "prompt,n\n\"a,b\nc,d\n", "line 2: a quote that opens here is never closed"},
		{"a.csv", "prompt,n\n\"a\"b,c\n", "line 2: 'b' after a field in quotes"},
		{"a.csv", "prompt,prompt\na,b\n", "twice"},
		{"a.parquet", "PAR1\x15\x04\x15\x00", "Parquet file is damaged"},
		{"a.zip", "PK\x03\x04\x00\x00", "zip archive is damaged"},
		{"a.gz", "\x1f\x8b", "gzip data is cut off"},
	} {
		got, err := read(c.name, c.text, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %q, error %v, want one with %q", c.name, c.text, got, err, c.want)
		}
	}
}

// packers compress a text in each way.
func packers(t testing.TB) map[string]func(string) string {
	t.Helper()
	through := func(open func(io.Writer) (io.WriteCloser, error)) func(string) string {
		return func(text string) string {
			var b bytes.Buffer
			w, err := open(&b)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, text)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
	}
	return map[string]func(string) string{
		"gzip": through(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }),
		"zstd": through(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }),
		"xz":   through(func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) }),
		"zip with data/b.jsonl": func(text string) string {
			var b bytes.Buffer
			z := zip.NewWriter(&b)
			for name, text := range map[string]string{"data/b.jsonl": text, "data/": "", "__MACOSX/b.jsonl": "x", ".DS_Store": "x"} {
				w, err := z.Create(name)
				if err != nil {
					t.Fatal(err)
				}
				io.WriteString(w, text)
			}
			z.Close()
			return b.String()
		},
	}
}

// TestPacked: a text is read alike in every compression, in parts, and cut off it says so.
func TestPacked(t *testing.T) {
	text := strings.Repeat("{\"prompt\": \"x\"}\n", 20000)
	want, err := read("a.jsonl", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, pack := range packers(t) {
		packed := pack(text)
		got, err := read("a.jsonl", packed, 0)
		if err != nil || got != strings.Replace(want, "JSONL", "JSONL ("+name+")", 1) {
			t.Errorf("%s: %.80s, %v", name, got, err)
		}
		for _, cut := range []int{len(packed) / 2, len(packed) - 1} {
			if got, err := read("a.jsonl", packed[:cut], 0); err == nil || !strings.Contains(err.Error(), "cut off") || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, the first %d bytes of %d: %.80s, %v", name, cut, len(packed), got, err)
			}
		}
		if twice, err := read("a.jsonl", pack(pack(text)), 0); err != nil || !strings.HasSuffix(twice, strings.TrimPrefix(want, "JSONL")) {
			t.Errorf("%s twice: %.80s, %v", name, twice, err)
		}
	}
}

// TestLongest: one record more than the limit is left out by name, in every form, and the next is read.
func TestLongest(t *testing.T) {
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ name, text, want string }{
		{"a.jsonl", "{\"prompt\":1}\n{\"prompt\":\"" + long + "\"}\n{\"prompt\":2}", `JSONL: 1 {"prompt":1} 2! 3 {"prompt":2}`},
		{"a.jsonl", "{\"prompt\":\"" + long + "\"}\n{\"prompt\":2}", `JSONL: 1! 2 {"prompt":2}`},
		{"a.txt", long + "\nb", `plain text, a prompt a line: 1! 2 "b"`},
		{"a.json", "[{\"prompt\":\"" + long + "\"},\n{\"prompt\":2}]", `a JSON list: 1! 2 {"prompt":2}`},
		{"a.json", `{"data": [{"prompt":"` + long + `"},{"prompt":2}]}`, `a JSON list in "data": 1! 1 {"prompt":2}`},
		{"a.csv", "prompt,n\n\"" + long + "\",1\nb,2\n", `CSV: 2! 3 {"prompt":"b","n":"2"}`},
	} {
		if got, err := read(c.name, c.text, 100); err != nil || got != c.want {
			t.Errorf("%s %.40q: %s, %v, want %s", c.name, c.text, got, err, c.want)
		}
	}
}
