package records

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// archive reads the members of a zip archive, one after another.
type archive struct {
	options Options
	reader  *Reader
	members []*zip.File
	now     *Reader
	file    io.Closer
	name    string
	notes   []string // of the members that were read
}

// note names what was passed over in the members.
func (a *archive) note() string {
	notes := a.notes
	if n, ok := a.decoder().(noter); ok {
		notes = append(slices.Clone(notes), n.note())
	}
	return strings.Join(slices.Compact(notes), "")
}

// decoder is that of the member that is open.
func (a *archive) decoder() decoder {
	if a.now == nil {
		return nil
	}
	return a.now.dec
}

// openZip reads the input as a zip archive.
func (d *detector) openZip(text io.Reader) error {
	if d.zips == maxLayers {
		return fmt.Errorf("nested zip archives, more than %d deep; unpack them first", maxLayers)
	}
	file, size, err := d.readerAt(text)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(file, size)
	if err != nil {
		return fmt.Errorf("the zip archive is damaged or cut off: %w", err)
	}
	files, err := zipped(z)
	if err != nil {
		return err
	}
	data, others := dataAmong(slices.Sorted(maps.Keys(files)))
	if len(data) == 0 {
		return fmt.Errorf("the zip archive has no file of JSONL, JSON, CSV, Parquet or plain text; its files: %s", enumerate(others))
	}
	a := &archive{options: d.Options, reader: d.reader}
	a.options.zips++
	for _, name := range data {
		a.members = append(a.members, files[name])
	}
	d.reader.closed = append(d.reader.closed, a.close)
	if err := a.open(); err != nil {
		return err
	}
	d.reader.dec = a
	note := "zip with " + enumerate(data)
	if len(others) > 0 {
		note += ", without " + enumerate(others)
	}
	d.reader.packed = append(d.reader.packed, note)
	return nil
}

// zipped are the files of an archive that are not hidden, by name.
func zipped(z *zip.Reader) (map[string]*zip.File, error) {
	files := map[string]*zip.File{}
	for _, f := range z.File {
		switch base := path.Base(f.Name); {
		case base == "[Content_Types].xml":
			return nil, errors.New("this is an Office document, such as .xlsx; save it as CSV")
		case f.Name == "mimetype":
			return nil, errors.New("this is an OpenDocument file, such as .ods, or an e-book; save it as CSV or plain text")
		case base == "data.pkl":
			return nil, errors.New("this is a PyTorch file, a Python pickle; load it in Python and write JSONL")
		case f.FileInfo().IsDir(), strings.HasPrefix(base, "."), strings.HasPrefix(f.Name, "__MACOSX/"):
		case f.Flags&1 != 0:
			return nil, fmt.Errorf("%s in the zip archive is encrypted; unpack it first", f.Name)
		case files[f.Name] != nil:
			return nil, fmt.Errorf("the zip archive has two files named %s; unpack it, and name one otherwise", f.Name)
		default:
			files[f.Name] = f
		}
	}
	return files, nil
}

// enumerate lists the first of several names.
func enumerate(names []string) string {
	const most = 5
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// open opens the first member that is left.
func (a *archive) open() error {
	f := a.members[0]
	a.name = f.Name
	in, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s in the zip archive: %w", f.Name, err)
	}
	a.file = in
	if a.now, err = Open(f.Name, &unpacked{r: in, name: "zip"}, a.options); err != nil {
		return fmt.Errorf("%s in the zip archive: %w", f.Name, err)
	}
	if a.reader.form == "" {
		a.reader.form = a.now.form
	}
	if a.now.form != a.reader.form {
		return fmt.Errorf("%s in the zip archive is %s, the files before it are %s; unpack it first", f.Name, a.now.form, a.reader.form)
	}
	return nil
}

func (a *archive) next() (Record, error) {
	for {
		rec, err := a.now.Next()
		switch {
		case err == nil:
			rec.Member = path.Join(a.name, rec.Member)
			return rec, nil
		case !errors.Is(err, io.EOF):
			return rec, fmt.Errorf("%s in the zip archive: %w", a.name, err)
		case len(a.members) == 1:
			return rec, io.EOF
		}
		if n, ok := a.decoder().(noter); ok {
			a.notes = append(a.notes, n.note())
		}
		if err := a.close(); err != nil {
			return rec, err
		}
		a.members = a.members[1:]
		if err := a.open(); err != nil {
			return rec, err
		}
	}
}

// close closes the member that is open.
func (a *archive) close() error {
	var errs []error
	if a.now != nil {
		errs = append(errs, a.now.Close())
	}
	if a.file != nil {
		_ = a.file.Close() // what is wrong was said by Read
	}
	a.now, a.file = nil, nil
	return errors.Join(errs...)
}
