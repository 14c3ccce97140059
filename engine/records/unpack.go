package records

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// maxWindow is the most memory that a decompressor may ask for, in bytes: that of xz -9 and zstd --ultra -22 are below it.
const maxWindow = 128 << 20

// maxLayers is how often an input may be compressed.
const maxLayers = 3

// compressions are the ways in which an input may be compressed.
var compressions = []struct {
	name, magic string
	extensions  []string
	open        func(*bufio.Reader) (io.Reader, error)
}{
	{"gzip", "\x1f\x8b", []string{".gz", ".gzip"}, func(r *bufio.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"zstd", "\x28\xb5\x2f\xfd", []string{".zst", ".zstd"}, openZstd},
	{"bzip2", "BZh", []string{".bz2"}, func(r *bufio.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
	{"xz", "\xfd7zXZ\x00", []string{".xz"}, openXZ},
}

// isBzip reports whether more than the first letters are those of bzip2: a prompt may have them.
func isBzip(r *bufio.Reader) bool {
	head, _ := r.Peek(10)
	return len(head) < 10 || string(head[4:]) == "1AY&SY" || string(head[4:]) == "\x17\x72\x45\x38\x50\x90" // a block, or the end
}

func openZstd(r *bufio.Reader) (io.Reader, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}

// openXZ refuses a dictionary that is larger than maxWindow. The first block's header has its size: behind the stream's header
// of 12 bytes are the header's size, flags, and filters, of which LZMA2 is 0x21, a length of 1, and the size's code.
func openXZ(r *bufio.Reader) (io.Reader, error) {
	head, _ := r.Peek(64) // an error comes again when it is read
	if i := bytes.Index(head, []byte{0x21, 0x01}); i >= 13 && i+2 < len(head) {
		if size, err := lzma.DecodeDictCap(head[i+2]); err == nil && size > maxWindow {
			return nil, fmt.Errorf("it needs a dictionary of %d MiB, at most %d are given; compress it with xz -9 or less", size>>20, maxWindow>>20)
		}
	}
	return xz.NewReader(r)
}

// unpacked reads what is compressed, and names the compression in errors.
type unpacked struct {
	r    io.Reader
	name string
	err  error // comes again at each call
}

// Read implements io.Reader.
func (u *unpacked) Read(p []byte) (n int, err error) {
	if u.err != nil {
		return 0, u.err
	}
	n, err = u.r.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // an EOF that is wrapped is an error of its own
		err = unpackError(u.name, err)
	}
	u.err = err
	return n, err
}

// unpackError says why decompressing failed.
func unpackError(name string, err error) error {
	var bzip bzip2.StructuralError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("the %s data is cut off before its end: the file is incomplete, fetch it again: %w", name, io.ErrUnexpectedEOF)
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("the zstd data needs a window of more than %d MiB; decompress it first, with zstd -d --long=31: %w", maxWindow>>20, err)
	case errors.As(err, &bzip):
		return fmt.Errorf("decompressing bzip2: the data is damaged, fetch it again: %w", err)
	}
	return fmt.Errorf("decompressing %s: %w", name, err)
}

// unpack returns the text that an input holds, decompressed.
func (d *detector) unpack(text *bufio.Reader) (*bufio.Reader, error) {
	for {
		layer := -1
		for i, c := range compressions {
			if head, _ := text.Peek(len(c.magic)); string(head) == c.magic && (c.name != "bzip2" || isBzip(text)) {
				layer = i
			}
		}
		if layer < 0 {
			return text, nil
		}
		c := compressions[layer]
		if len(d.reader.packed) == maxLayers {
			return nil, fmt.Errorf("compressed more than %d times; decompress it first", maxLayers)
		}
		z, err := c.open(text)
		if err != nil {
			return nil, unpackError(c.name, err)
		}
		if zc, ok := z.(io.Closer); ok {
			d.reader.closed = append(d.reader.closed, func() error { _ = zc.Close(); return nil }) // what is wrong was said by Read
		}
		d.reader.packed = append(d.reader.packed, c.name)
		text, d.file = newText(&unpacked{r: z, name: c.name}), nil
	}
}
