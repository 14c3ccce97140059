// Package records turns the bytes of an input into records: JSON values, each with its place.
//
// The content of an input decides how it is read, and its name has to agree. An input is one of these:
//
//   - JSONL: a JSON value a line. A comma at the end of a line is dropped.
//   - A JSON list, each item a record, or an object that holds such a list under a name such as data or rows.
//     Lists of turns, and objects over several lines, are records too, one after another.
//   - CSV or TSV with a header. A record is an object of texts. An empty field is null, and so are NULL, \N, nan and NaN
//     without quotes.
//   - Parquet. A record is an object.
//   - Plain text, a line a record. It is taken for names that end with .txt or have no extension, and for standard input.
//
// Any of them may be compressed by gzip, zstd, bzip2 or xz, or be in a zip archive. UTF-8 byte order marks are dropped, and
// lines may end with CRLF. NaN and Infinity, which Python writes as numbers, are null.
//
// Anything else is refused with the reason and the remedy. Only one record is held at a time.
package records

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"
)

// MaxRecord is the longest record that is read, in bytes.
const MaxRecord = 16 << 20

// Record is one record of an input.
type Record struct {
	// Line is the line on which the record begins, counted from 1 in the decompressed text. Of Parquet it is the row.
	Line int
	// Item counts a list's records from 1 where the list has several on its first line; else it is 0.
	Item int
	// Member is the file of an archive that the record is in; empty where there is no archive.
	Member string
	// Value is a JSON value in UTF-8.
	Value json.RawMessage
	// Plain says that the value is a line of plain text.
	Plain bool
	// Cells says that the value is a row of CSV or TSV: what is no text in it was written as one.
	Cells bool
	// Err says why the record cannot be read. There is no Value then.
	Err error
}

// Options say how inputs are read.
type Options struct {
	// Max is the longest record in bytes; 0 is MaxRecord.
	Max int
	// Column reports whether a name is one of a column that holds a row's text. It tells a header of CSV from a prompt,
	// and a row from an object that holds rows.
	Column func(name string) bool

	zips int // the archives that the input is in
}

// Reader reads the records of an input.
type Reader struct {
	form   form
	packed []string // how it is compressed, the outermost first
	raw    io.Reader
	hash   hash.Hash
	dec    decoder
	closed []func() error
}

// A decoder reads the records of one form. Its error is io.EOF after the last.
type decoder interface {
	next() (Record, error)
}

// A noter is a decoder that passes something over, and says so after the form.
type noter interface{ note() string }

// Open finds out what an input is. The name "-" is that of standard input.
func Open(name string, in io.Reader, o Options) (*Reader, error) {
	if o.Max == 0 {
		o.Max = MaxRecord
	}
	if o.Column == nil {
		o.Column = func(string) bool { return false }
	}
	r := &Reader{hash: sha256.New()}
	r.raw = io.TeeReader(in, r.hash)
	d := detector{Options: o, name: newName(name), reader: r}
	if f, ok := in.(*os.File); ok && name != "-" {
		d.file = f
	}
	if err := d.open(r.raw); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Next returns the next record. The error is io.EOF after the last; any other one ends the reading. The record's value is
// valid until the next call.
func (r *Reader) Next() (Record, error) { return r.dec.next() }

// Form says what the input is, such as "JSONL (gzip)", and what was passed over in it so far.
func (r *Reader) Form() string {
	text := string(r.form)
	if len(r.packed) > 0 {
		text += fmt.Sprintf(" (%s)", strings.Join(r.packed, ", "))
	}
	if n, ok := r.dec.(noter); ok {
		text += n.note()
	}
	return text
}

// Unit is what a record is called in messages.
func (r *Reader) Unit() string { return r.form.unit() }

// SHA256 reads the input to its end, and returns the hash of its bytes in hexadecimal.
func (r *Reader) SHA256() (string, error) {
	if _, err := io.Copy(io.Discard, r.raw); err != nil {
		return "", err
	}
	return hex.EncodeToString(r.hash.Sum(nil)), nil
}

// Close frees what the reader holds. It does not close the input.
func (r *Reader) Close() error {
	var errs []error
	for i := len(r.closed) - 1; i >= 0; i-- {
		errs = append(errs, r.closed[i]())
	}
	r.closed = nil
	return errors.Join(errs...)
}

// form is what an input is.
type form string

const (
	jsonl      form = "JSONL"
	jsonTexts  form = "JSONL of texts"
	jsonList   form = "a JSON list"
	jsonValues form = "JSON values"
	csvForm    form = "CSV"
	tsvForm    form = "TSV"
	parquetRow form = "Parquet"
	plain      form = "plain text, a prompt a line"
)

// unit is what a record of the form is called in messages.
func (f form) unit() string {
	switch f {
	case jsonl, jsonTexts, plain:
		return "the line"
	case csvForm, tsvForm, parquetRow:
		return "the row"
	default: // lists and values of JSON
		return "the record"
	}
}

// tooLong is the reason of a record that is longer than may be held.
func tooLong(size, most int) error {
	return fmt.Errorf("%d bytes, at most %d can be read", size, most)
}

// newText buffers a text.
func newText(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, headSize) }

// headSize is how much of a text is looked at to tell its form.
const headSize = 64 << 10
