package runstore

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"amend/engine/revise"
)

// row is where a record lies in rows.jsonl.
type row struct {
	id    string
	index int
	at    int64 // offset of the line
	size  int   // bytes of the line, newline included
}

// rowList is what a scan of rows.jsonl found.
type rowList struct {
	rows []row // in the order in which they were finished
	size int64 // bytes of all whole rows: where the next one goes
	torn int   // bytes after them, of a row whose writing did not finish
	// damaged is why the bytes after the whole rows, though they end as a line does, are no row.
	damaged error
}

// scanRows reads ids and places of all rows. A write that was cut short can only have left the last line
// incomplete, since each row is on disk before the next is begun; any other bad line is an error.
func scanRows(path string, r io.Reader) (rowList, error) {
	var list rowList
	seen := map[string]bool{}
	in := bufio.NewReaderSize(r, 1<<20)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			list.torn += len(line)
			return list, nil
		}
		if err != nil {
			return list, fmt.Errorf("read rows: %w", err)
		}
		if list.damaged != nil {
			return list, list.damaged // a bad line with another after it
		}
		var head struct {
			ID    string `json:"id"`
			Index int    `json:"index"`
		}
		bad := func(cause error) error {
			return fmt.Errorf("%s line %d (byte %d) is damaged: %w; restore the file, or give another --out", path, number, list.size, cause)
		}
		if err := json.Unmarshal(line, &head); err != nil {
			list.damaged, list.torn = bad(err), len(line)
			continue
		}
		if head.ID == "" {
			return list, bad(errors.New("it has no id"))
		}
		if seen[head.ID] {
			return list, bad(fmt.Errorf("row %q is in an earlier line", head.ID))
		}
		seen[head.ID] = true
		list.rows = append(list.rows, row{id: head.ID, index: head.Index, at: list.size, size: len(line)})
		list.size += int64(len(line))
	}
}

// inputOrder returns the rows as they came in the prompts.
func (l rowList) inputOrder() []row {
	rows := slices.Clone(l.rows)
	slices.SortStableFunc(rows, func(a, b row) int { return a.index - b.index })
	return rows
}

// readRow reads one record from an open rows.jsonl.
func readRow(f *os.File, r row) (revise.Record, error) {
	line := make([]byte, r.size)
	var rec revise.Record
	if _, err := f.ReadAt(line, r.at); err != nil {
		return rec, fmt.Errorf("read row %s: %w", r.id, err)
	}
	if err := json.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &rec); err != nil {
		return rec, fmt.Errorf("%s: row %s (byte %d): %w", f.Name(), r.id, r.at, err)
	}
	return rec, nil
}

// eachRow gives the records of rows to yield, until that returns false or a record cannot be read.
func eachRow(f *os.File, rows []row, yield func(revise.Record, error) bool) {
	for _, r := range rows {
		rec, err := readRow(f, r)
		if !yield(rec, err) || err != nil {
			return
		}
	}
}
