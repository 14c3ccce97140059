package records

import (
	"bytes"
	"errors"
	"strings"
	"unicode"
)

// foreign are the first bytes of files that users do have and that are no data, and what to do about each.
var foreign = []struct{ magic, what string }{
	{"version https://git-lfs.github.com/spec/", "this is a Git LFS pointer and not the file itself; run git lfs pull in its repository"},
	{"oid sha256:", "this is a part of a Git LFS pointer and not the file itself; run git lfs pull in its repository"},
	{"/annex/objects/", "this is a git-annex pointer and not the file itself; run git annex get"},
	{"# xet version", "this is a Xet pointer and not the file itself; download it with the Hugging Face client"},
	{"{\\rtf", "this is an RTF document; save it as plain text"},
	{"%PDF-", "this is a PDF; amend reads JSONL, JSON, CSV, Parquet and plain text"},
	{"\x80\x02", "this is a Python pickle, which can run code when it is read; load it in Python and write JSONL"},
	{"\x80\x03", "this is a Python pickle, which can run code when it is read; load it in Python and write JSONL"},
	{"\x80\x04", "this is a Python pickle, which can run code when it is read; load it in Python and write JSONL"},
	{"\x80\x05", "this is a Python pickle, which can run code when it is read; load it in Python and write JSONL"},
	{"ARROW1", "this is an Arrow (Feather) file; write it as Parquet or JSONL, for example in Python: datasets.Dataset.from_file(FILE).to_json(OUT)"},
	{"FEA1", "this is an Arrow (Feather) file; write it as Parquet or JSONL"},
	{"\xff\xff\xff\xff", "this is an Arrow stream; write it as Parquet or JSONL, for example in Python: datasets.Dataset.from_file(FILE).to_json(OUT)"},
	{"SQLite format 3\x00", "this is an SQLite database; write a table as CSV: sqlite3 -header -csv FILE 'SELECT * FROM TABLE'"},
	{"\xff\xfe\x00\x00", "this is UTF-32 text; convert it with iconv -f UTF-32 -t UTF-8"},
	{"\x00\x00\xfe\xff", "this is UTF-32 text; convert it with iconv -f UTF-32 -t UTF-8"},
	{"\xff\xfe", "this is UTF-16 text; convert it with iconv -f UTF-16 -t UTF-8"},
	{"\xfe\xff", "this is UTF-16 text; convert it with iconv -f UTF-16 -t UTF-8"},
	{"GGUF", "this is a GGUF model and no data; models are given by --model"},
	{"\x93NUMPY", "this is a NumPy array; write its texts as JSONL"},
	{"\x89HDF\r\n", "this is an HDF5 file; write it as JSONL"},
	{"Obj\x01", "this is an Avro file; write it as JSONL or Parquet"},
	{"ORC", "this is an ORC file; write it as Parquet"},
	{"7z\xbc\xaf\x27\x1c", "this is a 7z archive; unpack it first"},
	{"Rar!\x1a\x07", "this is a RAR archive; unpack it first"},
	{"\x04\x22\x4d\x18", "this is compressed with lz4; decompress it with lz4 -d"},
	{"\x89PNG", "this is a PNG image"},
	{"\xff\xd8\xff", "this is a JPEG image"},
	{"\xd0\xcf\x11\xe0", "this is an old Office document, such as .xls; save it as CSV"},
}

// refuseForeign refuses what is no data by its first bytes.
func refuseForeign(head []byte, n name) error {
	for _, f := range foreign {
		if bytes.HasPrefix(head, []byte(f.magic)) && isForeign(f.magic, head) {
			return errors.New(f.what)
		}
	}
	start := bytes.TrimLeftFunc(bytes.TrimPrefix(head, []byte(bom)), unicode.IsSpace)
	if err := errors.Join(refuseMarkup(start), refuseAnswer(head)); err != nil {
		return err
	}
	switch {
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return errors.New("this is a tar archive; unpack it first")
	case wide(head, 1):
		return errors.New("this is UTF-16 or UTF-32 text without a mark; convert it with iconv -f UTF-16LE -t UTF-8")
	case wide(head, 0):
		return errors.New("this is UTF-16 or UTF-32 text without a mark; convert it with iconv -f UTF-16BE -t UTF-8")
	case isTextPickle(head):
		return errors.New("this is a Python pickle, which can run code when it is read; load it in Python and write JSONL")
	case oldMac(head):
		return errors.New(`its lines end with CR alone, as on old Macs; convert it with tr '\r' '\n'`)
	case n.plain() && isPythonList(start):
		return errors.New("this is a list of texts as Python prints it; write it with json.dumps")
	case !n.json() && !n.table() && !looksJSON(start) && isBinary(head):
		return errors.New("this is a binary file of a kind that is not known, or text in UTF-16; write its texts as JSONL")
	}
	return nil
}

// looksJSON reports whether a text begins as JSON does: then a NUL byte is one bad record.
func looksJSON(start []byte) bool { return len(start) > 0 && strings.IndexByte(`{["`, start[0]) >= 0 }

// isBinary reports whether bytes hold NUL, and more than the odd control character of a text.
func isBinary(head []byte) bool {
	controls := 0
	for _, c := range head {
		if c < ' ' && !unicode.IsSpace(rune(c)) {
			controls++
		}
	}
	return bytes.IndexByte(head, 0) >= 0 && controls*100 > len(head)
}

// oldMac reports whether more lines end with CR alone than with LF. Those within quotes are text.
func oldMac(head []byte) bool {
	lone, ends, inQuotes := 0, 0, false
	quotes := bytes.Count(head, []byte{'"'})%2 == 0
	for i, c := range head {
		switch {
		case c == '"' && quotes:
			inQuotes = !inQuotes
		case inQuotes:
		case c == '\n':
			ends++
		case c == '\r' && i+1 < len(head) && head[i+1] != '\n' && head[i+1] != '\r':
			lone++
		}
	}
	return lone > ends
}

// isForeign reports whether what begins with a magic is foreign: words that a prompt may begin with are only where more says so.
func isForeign(magic string, head []byte) bool {
	after := head[len(magic):]
	switch magic {
	case "ORC", "GGUF", "ARROW1", "FEA1":
		return bytes.IndexByte(head[:min(len(head), 64)], 0) >= 0
	case "oid sha256:", "%PDF-":
		return len(after) > 0 && strings.IndexByte("0123456789abcdef", after[0]) >= 0
	}
	return true
}

// wide reports whether of every two bytes at the start one is zero: the one at this place.
func wide(head []byte, zero int) bool {
	const most = 32
	head = head[:min(len(head)&^1, most)]
	for i := 0; i < len(head); i += 2 {
		if head[i+zero] != 0 {
			return false
		}
	}
	return len(bytes.Trim(head, "\x00")) > 0
}

// bom is the UTF-8 byte order mark.
const bom = "\ufeff"
