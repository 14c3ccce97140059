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
	{"<!DOCTYPE", "this is an HTML page, perhaps the page about the file and not the file itself; download the raw file"},
	{"<HTML", "this is an HTML page, perhaps the page about the file and not the file itself; download the raw file"},
	{"<?XML", "this is XML; write it as JSONL"},
}

// refuseForeign refuses what is no data by its first bytes.
func refuseForeign(head []byte) error {
	start := bytes.TrimLeftFunc(bytes.TrimPrefix(head, []byte(bom)), unicode.IsSpace)
	for _, f := range foreign {
		n := min(len(f.magic), len(start))
		if bytes.HasPrefix(head, []byte(f.magic)) || f.magic[0] == '<' && strings.EqualFold(string(start[:n]), f.magic) {
			return known(f.magic, f.what, head)
		}
	}
	switch {
	case len(head) > 262 && string(head[257:262]) == "ustar":
		return errors.New("this is a tar archive; unpack it first")
	case wide(head, 1):
		return errors.New("this is UTF-16 or UTF-32 text without a mark; convert it with iconv -f UTF-16LE -t UTF-8")
	case wide(head, 0):
		return errors.New("this is UTF-16 or UTF-32 text without a mark; convert it with iconv -f UTF-16BE -t UTF-8")
	case bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(bytes.TrimRight(head, "\r"), '\r') >= 0:
		return errors.New(`its lines end with CR alone, as on old Macs; convert it with tr '\r' '\n'`)
	}
	return nil
}

// known is the error of foreign content. Words that a prompt may begin with are foreign only where more says so.
func known(magic, what string, head []byte) error {
	if (magic == "ORC" || magic == "GGUF") && bytes.IndexByte(head[:min(len(head), 64)], 0) < 0 {
		return nil
	}
	return errors.New(what)
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
