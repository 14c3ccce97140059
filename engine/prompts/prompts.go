// Package prompts reads the inputs of a run: conversations to answer and
// revise, from a file or from standard input.
//
// A file is JSONL when the first line that is not blank begins with '{', else
// plain text with one prompt a line. Either may be gzipped, which is seen by
// its first bytes and not by its name, begin with a UTF-8 byte order mark and
// end its lines with CRLF. Blank lines are skipped in both forms; they count
// as lines, so that line numbers are an editor's.
//
// A JSONL row is an object. These keys are read, others are ignored, and null
// is the same as absent:
//
//   - id: a string or a number, unique in the file. Without one the row's id
//     is a hash of its conversation, with "-2", "-3" … when the file repeats it.
//   - messages: a list of {role, content}, role system, user or assistant.
//   - prompt: a text, a transcript that begins with "\n\nHuman:", or a list as
//     in messages. Read when there are no messages.
//   - chosen: a transcript, or a list as in messages (hh-rlhf, preference
//     sets). Read when there are neither messages nor a prompt. Its last
//     assistant turn is dropped, or kept as the response with
//     Options.FromResponses, and a row without one is then bad. Beside
//     messages or a prompt it only gives the response, with FromResponses
//     and when nothing else gives one; it may then be a bare text.
//   - tags, language, jurisdiction: what principles may ask of a row (constitution.Applies): a list of texts or one,
//     and a text each.
//   - response: the response to start from. A last assistant turn in messages
//     or prompt is one too; a row that has both is bad.
//
// A conversation is an optional system message, then user and assistant in
// turn, the user first and last. What breaks that in a list is quarantined:
// its maker can correct it, and joining turns would change what was said.
// Transcripts, which carry no structure but their markers, are treated as
// transcript describes. Texts are kept as they are, except for the white space
// around a transcript's turns.
//
// What cannot be read is never dropped silently and never stops the rest: it
// becomes a BadRow.
package prompts

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"amend/engine/revise"
)

// MaxLine is the longest line that is read, in bytes without its line end. A
// longer one is a BadRow; no more of it than this is held in memory.
const MaxLine = 16 << 20

// Options says how inputs are read.
type Options struct {
	// FromResponses keeps the last assistant turn of chosen as the response to
	// start from, instead of dropping it.
	FromResponses bool
	// Limit stops reading after this many good rows; 0 reads all.
	Limit int
}

// Set is what one input holds.
type Set struct {
	// Rows are the good rows in the order of the input: Rows[i].Index is i.
	Rows []revise.Row
	// Bad are the rows that could not be read, in the order of the input, up
	// to where Limit ended the reading.
	Bad []BadRow
	// SHA256 is that of the input's raw bytes, in hexadecimal: compressed if
	// they were, and all of them, whatever the limit.
	SHA256 string
}

// Tags are the tags of all rows, each once, in order.
func (s *Set) Tags() []string {
	tags := []string{}
	for _, r := range s.Rows {
		tags = append(tags, r.Attributes.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// BadRow is a line that holds no usable row.
type BadRow struct {
	// File is the path as it was given, or "stdin".
	File string
	// Line counts from 1, in the decompressed text.
	Line int
	// Reason names the field, or the line, and what is wrong with it.
	Reason string
}

// String returns the row's place and what is wrong with it.
func (b BadRow) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason) }

// Read reads the prompts at path, or stdin when path is "-", line by line;
// only rows are held. It returns an error when the input cannot be read to the
// end (or to the limit), is in a format that it does not know, or holds nothing
// but blank lines. Bad rows are no error, not even when all are bad.
func Read(path string, stdin io.Reader, o Options) (*Set, error) {
	if o.Limit < 0 {
		return nil, fmt.Errorf("read prompts: limit %d: must be 0 (all rows) or more", o.Limit)
	}
	set := &Set{}
	c := set.collector(o)
	sha, err := c.open(path, stdin, MaxLine)
	if err != nil {
		return nil, fmt.Errorf("read prompts from %s: %w", c.name, err)
	}
	set.Bad, set.SHA256 = c.bad, sha
	return set, nil
}

// collector fills the set's rows.
func (s *Set) collector(o Options) *collector {
	return &collector{full: func() bool { return o.Limit > 0 && len(s.Rows) >= o.Limit }, put: s.rows(o)}
}

// open collects the lines of a file, or of stdin where path is "-", and returns the hash of its bytes.
func (c *collector) open(path string, stdin io.Reader, maxLine int) (sha string, err error) {
	c.name = path
	if path == "-" {
		c.name = "stdin"
		return c.read(stdin, maxLine)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	return c.read(f, maxLine)
}

// read collects the lines of an open input, with the longest line as a parameter.
func (c *collector) read(in io.Reader, maxLine int) (sha string, err error) {
	hash := sha256.New()
	raw := bufio.NewReaderSize(io.TeeReader(in, hash), 64<<10)
	text, err := unpack(raw)
	if err != nil {
		return "", err
	}
	if err := c.collect(&lines{r: text, max: maxLine}); err != nil {
		return "", err
	}
	// The rest is read for the hash: a limit must not make it depend on how
	// far a pipe happened to be read ahead.
	if _, err := io.Copy(io.Discard, raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// refused are the first bytes of files that users do have and that would
// otherwise be quarantined line by line, and what to do about each.
var refused = []struct{ magic, what string }{
	{"PAR1\x15", "a Parquet file; convert it to JSONL, for example with duckdb: COPY (FROM 'FILE') TO 'FILE.jsonl'"},
	{"\xff\xfe", "UTF-16 text; convert it with iconv -f UTF-16 -t UTF-8"},
	{"\xfe\xff", "UTF-16 text; convert it with iconv -f UTF-16 -t UTF-8"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd; decompress it with zstd -d"},
}

// unpack returns the text that raw holds, decompressed and without a byte
// order mark.
func unpack(raw *bufio.Reader) (*bufio.Reader, error) {
	text := raw
	if m, _ := raw.Peek(2); string(m) == "\x1f\x8b" { // an error comes again when it is read
		z, err := gzip.NewReader(raw)
		if err != nil {
			return nil, fmt.Errorf("decompress: %w", err)
		}
		text = bufio.NewReaderSize(z, 64<<10)
	}
	start, _ := text.Peek(5)
	for _, f := range refused {
		if bytes.HasPrefix(start, []byte(f.magic)) {
			return nil, errors.New("this is " + f.what)
		}
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		if _, err := text.Discard(3); err != nil {
			return nil, err
		}
	}
	return text, nil
}
