package export

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"amend/engine/plainjson"
)

// rowGroup is how many rows a Parquet row group holds at most: what a reader decodes at once.
const rowGroup = 10_000

// shards writes the rows of one split, a file after the other. Files have temporary names until all are there and
// their number is known.
type shards struct {
	dir      string
	split    string
	encoding Encoding
	columns  any   // a row without contents
	limit    int64 // bytes of JSON in a file, about

	file  encoder
	size  int64 // of the present file, as JSON
	files int

	Rows  int   // written
	Bytes int64 // of them, as JSON
}

// encoder writes rows to one file.
type encoder interface {
	write(row any, line []byte) error
	close() error
}

func (s *shards) write(row any) error {
	line, err := plainjson.Marshal(row)
	if err != nil {
		return err
	}
	if s.file == nil || s.size > 0 && s.size+int64(len(line)) > s.limit {
		if err := s.next(); err != nil {
			return err
		}
	}
	if err := s.file.write(row, line); err != nil {
		return fmt.Errorf("writing %s: %w", s.temporary(s.files-1), err)
	}
	s.size += int64(len(line))
	s.Rows++
	s.Bytes += int64(len(line))
	return nil
}

// next begins a file.
func (s *shards) next() (err error) {
	if err := s.closeFile(); err != nil {
		return err
	}
	s.file, err = create(s.temporary(s.files), s.encoding, s.columns)
	s.files++
	s.size = 0
	return err
}

func (s *shards) closeFile() error {
	if s.file == nil {
		return nil
	}
	err := s.file.close()
	s.file = nil
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.temporary(s.files-1), err)
	}
	return nil
}

// finish closes the last file and gives all of them their names, which it returns.
func (s *shards) finish() (names []string, err error) {
	if s.files == 0 && s.split == trainSplit { // a set without rows is a file without rows
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	if err := s.closeFile(); err != nil {
		return nil, err
	}
	for i := range s.files {
		name := filepath.Join(dataDir, fmt.Sprintf("%s-%05d-of-%05d.%s", s.split, i, s.files, s.encoding))
		if err := os.Rename(s.temporary(i), filepath.Join(s.dir, name)); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

func (s *shards) temporary(i int) string {
	return filepath.Join(s.dir, dataDir, fmt.Sprintf("%s-%05d.tmp", s.split, i))
}

func create(path string, encoding Encoding, row any) (encoder, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	b := bufio.NewWriterSize(f, 1<<18)
	if encoding == JSONL {
		return &lines{f, b}, nil
	}
	return &columns{f, b, parquet.NewGenericWriter[any](b, parquet.SchemaOf(row),
		parquet.Compression(&zstd.Codec{}), parquet.MaxRowsPerRowGroup(rowGroup), parquet.CreatedBy("amend", "1", "0"))}, nil
}

// lines is a JSONL file.
type lines struct {
	file   *os.File
	buffer *bufio.Writer
}

func (l *lines) write(_ any, line []byte) error {
	_, err := l.buffer.Write(append(line, '\n'))
	return err
}

func (l *lines) close() error { return closeFile(l.file, l.buffer, nil) }

// columns is a Parquet file.
type columns struct {
	file   *os.File
	buffer *bufio.Writer
	writer *parquet.GenericWriter[any]
}

func (c *columns) write(row any, _ []byte) error {
	_, err := c.writer.Write([]any{row})
	return err
}

func (c *columns) close() error { return closeFile(c.file, c.buffer, c.writer.Close()) }

// closeFile brings what was buffered to the disk.
func closeFile(f *os.File, b *bufio.Writer, err error) error {
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
