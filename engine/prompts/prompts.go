// Package prompts reads the inputs of a run: conversations to answer and revise, and pairs of answers to judge.
//
// Package records says which files are read. A record that is an object has a conversation in one of the columns that data
// sets have for it (shapes), and beside it
//
//   - id or custom_id: a text or a number, unique in the input. Without one the row's id is a hash of its conversation, with
//     "-2", "-3" … when the input repeats it.
//   - system, system_prompt: the row's system message, refused where the conversation has another one.
//   - response: the response to start from. A last assistant turn of the conversation is one too; a row that has both is bad.
//   - chosen, output, completion, answer: with Options.FromResponses the response to start from, when nothing else gives one.
//   - tags, language, jurisdiction: what principles may ask of a row (constitution.Applies): a list of texts or one, and a
//     text each.
//
// Other columns are ignored, and null is the same as absent. Options.Map says which columns have these meanings in an input
// with names of its own. Of chosen alone the last assistant turn is dropped. A record that is a text is a prompt, one that is
// a list of turns a conversation.
//
// A conversation is an optional system message, then user and assistant in turn, the user first and last. What breaks that in
// a list is a bad row: its maker can correct it, and joining turns would change what was said. Transcripts, which carry no
// structure but their marks, are treated as transcript describes. Texts are kept as they are, except for the white space
// around a transcript's turns. Texts that are joined: the parts of a content, by a line break; instruction and input, by a
// blank line.
//
// What cannot be read is never dropped silently and never stops the rest: it becomes a BadRow.
package prompts

import (
	"fmt"
	"io"
	"slices"

	"amend/engine/records"
	"amend/engine/revise"
)

// MaxLine is the longest record that is read, in bytes. A longer one is a BadRow; no more of it than this is held in memory.
const MaxLine = records.MaxRecord

// Options says how inputs are read.
type Options struct {
	// FromResponses keeps the last assistant turn of chosen as the response to start from, instead of dropping it.
	FromResponses bool
	// Limit stops reading after this many good rows; 0 reads all.
	Limit int
	// Map names the columns of fields that are not under their own names.
	Map Mapping
	// FindID looks for Report.IDColumn, which takes memory for each record.
	FindID bool
}

// Set is what an input holds.
type Set struct {
	// Rows are the good rows in the order of the input: Rows[i].Index is i.
	Rows []revise.Row
	// Bad are the rows that could not be read, in the order of the input, up to where Limit ended the reading.
	Bad []BadRow
	// SHA256 is that of a file's bytes, in hexadecimal: compressed if they were, and all of them, whatever the limit. Of
	// several files it is that of their hashes, each with a line end.
	SHA256 string
	// Report says how the files were read.
	Report Report
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

// BadRow is a record that holds no usable row.
type BadRow struct {
	// File is the path as it was given, or "stdin", and behind it the file in an archive.
	File string
	// Line is where the record begins, counted from 1 in the decompressed text. Of Parquet it is the row.
	Line int
	// Reason names the field, or the record, and what is wrong with it.
	Reason string
}

// String returns the row's place and what is wrong with it.
func (b BadRow) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason) }

// Read reads the prompts of files, of folders and patterns, and of stdin where a path is "-", record by record; only rows are
// held. It returns an error when an input cannot be read to the end (or to the limit), is in a format that it does not know,
// or holds no records. Bad rows are no error, not even when all are bad.
func Read(paths Paths, stdin io.Reader, o Options) (*Set, error) {
	if o.Limit < 0 {
		return nil, fmt.Errorf("read prompts: limit %d: must be 0 (all rows) or more", o.Limit)
	}
	set := &Set{}
	c := set.collector(o)
	sha, err := c.read(paths, stdin)
	if err != nil {
		return nil, fmt.Errorf("read prompts from %w", err)
	}
	set.Bad, set.SHA256, set.Report = c.bad, sha, c.report
	return set, nil
}

// collector fills the set's rows.
func (s *Set) collector(o Options) *collector {
	given, words := newIDs(), spoken()
	c := &collector{
		given: o.Map, findID: o.FindID,
		full: func() bool { return o.Limit > 0 && len(s.Rows) >= o.Limit },
	}
	c.take = func(f *fields, at place) error {
		row, err := parseRow(f, o.FromResponses)
		if err != nil {
			return err
		}
		if row.ID, err = given.assign(row.ID, row.Messages, at); err != nil {
			return err
		}
		if row.Response != nil {
			c.report.Answered++
		}
		if hasMarkup(row.Messages, words) {
			c.report.Marked++
		}
		row.Index = len(s.Rows)
		s.Rows = append(s.Rows, row)
		return nil
	}
	return c
}
