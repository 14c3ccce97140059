package records

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// maxSpool is how much of an input that must be read at any place, and cannot be, is copied to a temporary file, in bytes.
const maxSpool = 2 << 30

// rows reads Parquet.
type rows struct {
	r    *parquet.GenericReader[any]
	row  int
	of   int
	held [1]any
}

// openParquet reads the input as Parquet.
func (d *detector) openParquet(text io.Reader) error {
	file, size, err := d.readerAt(text)
	if err != nil {
		return err
	}
	rows, err := newRows(file, size)
	if err != nil {
		return err
	}
	d.reader.dec, d.reader.form = rows, parquetRow
	d.reader.closed = append(d.reader.closed, rows.r.Close)
	return nil
}

// newRows opens a Parquet file. The library panics on some damaged files.
func newRows(file io.ReaderAt, size int64) (r *rows, err error) {
	defer recovered(&err)
	if err := checkFooter(file, size); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(file, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("the Parquet file is damaged or cut off: %w", err)
	}
	if err := refuseLZ4(f.Metadata()); err != nil {
		return nil, err
	}
	return &rows{r: parquet.NewGenericReader[any](f), of: int(f.NumRows())}, nil
}

// refuseLZ4 refuses columns in LZ4: of some of them the library returns other pages without an error.
func refuseLZ4(meta *format.FileMetaData) error {
	for _, group := range meta.RowGroups {
		for _, column := range group.Columns {
			if codec := column.MetaData.Codec; codec == format.Lz4 || codec == format.Lz4Raw {
				return errors.New("the Parquet file is compressed with LZ4 inside, which is not read; write it with compression='zstd'")
			}
		}
	}
	return nil
}

// maxFooter is the largest footer of a Parquet file that is read, in bytes. It describes the columns of each row group.
const maxFooter = 256 << 20

// checkFooter checks the end of a Parquet file: the library makes room for a footer of any size.
func checkFooter(file io.ReaderAt, size int64) error {
	var end [8]byte
	if _, err := file.ReadAt(end[:], max(size-int64(len(end)), 0)); err != nil {
		return fmt.Errorf("the Parquet file is cut off: %w", err)
	}
	footer := int64(binary.LittleEndian.Uint32(end[:4]))
	switch {
	case string(end[4:]) == "PARE":
		return errors.New("the Parquet file is encrypted; write it without encryption")
	case string(end[4:]) != "PAR1":
		return fmt.Errorf("the Parquet file is damaged or cut off: it does not end as one does; fetch it again")
	case footer > min(size-12, maxFooter):
		return fmt.Errorf("the Parquet file is damaged: a footer of %d bytes in %d", footer, size)
	}
	return nil
}

// recovered makes a panic an error.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet file is damaged: %v", p)
	}
}

func (r *rows) next() (rec Record, err error) {
	defer recovered(&err)
	if r.row >= r.of {
		return rec, io.EOF
	}
	r.held[0] = nil
	n, err := r.r.Read(r.held[:])
	if n == 0 {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return rec, fmt.Errorf("row %d of %d: the Parquet file is damaged or cut off: %w", r.row+1, r.of, err)
	}
	r.row++
	rec.Line = r.row
	rec.Value, rec.Err = json.Marshal(plainValue(r.held[0]))
	return rec, nil
}

// plainValue makes what the library returns a value that JSON can hold. Bytes that are no text become an object.
func plainValue(v any) any {
	switch v := v.(type) {
	case []byte:
		return plainValue(string(v))
	case string:
		if !utf8.ValidString(v) {
			return map[string]int{"bytes that are no text": len(v)}
		}
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
	case float32:
		return plainValue(float64(v))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plainValue(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = plainValue(v[key])
		}
		return out
	}
	return v
}

// readerAt is the input as a file: itself, or a temporary copy.
func (d *detector) readerAt(text io.Reader) (io.ReaderAt, int64, error) {
	if d.file != nil {
		if info, err := d.file.Stat(); err == nil && info.Mode().IsRegular() {
			return d.file, info.Size(), nil
		}
	}
	file, err := os.CreateTemp("", "amend-input-*")
	if err != nil {
		return nil, 0, fmt.Errorf("a temporary copy: %w", err)
	}
	d.reader.closed = append(d.reader.closed, func() error { return errors.Join(file.Close(), os.Remove(file.Name())) })
	size, err := io.Copy(file, io.LimitReader(text, maxSpool+1))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("a temporary copy: %w", err)
	case size > maxSpool:
		return nil, 0, fmt.Errorf("more than %d MiB of it would have to be copied to a temporary file; pass it as a file that is not compressed", maxSpool>>20)
	}
	return file, size, nil
}
