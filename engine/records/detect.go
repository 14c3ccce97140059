package records

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// detector finds out what an input is.
type detector struct {
	Options
	name   name
	reader *Reader
	file   *os.File // the input itself, where it can be read at any place
	line   int      // of the text's next byte
	sep    byte     // the separator that a line above the header says; 0: none
}

// open makes the decoder of an input.
func (d *detector) open(in io.Reader) error {
	text, err := d.unpack(newText(in))
	if err != nil {
		return err
	}
	head, err := text.Peek(headSize)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return errors.New("the input is empty")
	}
	if len(head) == 0 {
		return err
	}
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")) && len(head) > 4 && head[4] < ' ': // no prompt that begins so
		return d.openParquet(text)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return d.openZip(text)
	}
	if err := refuseForeign(head, d.name); err != nil {
		return err
	}
	return d.openText(text)
}

// openText makes the decoder of a text.
func (d *detector) openText(text *bufio.Reader) error {
	if head, _ := text.Peek(len(bom)); string(head) == bom {
		if _, err := text.Discard(len(bom)); err != nil {
			return err
		}
	}
	d.line = 1
	return d.openLines(text)
}

// openLines makes the decoder of a text from the line on that comes next.
func (d *detector) openLines(text *bufio.Reader) error {
	c, err := d.skipBlank(text)
	if errors.Is(err, io.EOF) {
		return errors.New("the input holds nothing but blank lines")
	}
	if err != nil {
		return err
	}
	first, err := firstLine(text, d.Max)
	if err != nil {
		return err
	}
	if d.sep == 0 && d.name.table() {
		if d.sep = separatorLine(first); d.sep != 0 {
			d.line++
			return d.openLines(text)
		}
	}
	rest, _ := text.Peek(headSize) // an error comes again when it is read
	l := look{line: bytes.TrimSpace(first), rest: bytes.TrimSpace(rest), cut: len(first) > d.Max && first[len(first)-1] != '\n'}
	text = newText(io.MultiReader(bytes.NewReader(first), text))
	dec, form, err := d.textDecoder(text, c, l)
	if err != nil {
		return err
	}
	d.reader.dec, d.reader.form = dec, form
	return nil
}

// skipBlank skips blank lines, and returns the first byte with content. That line is not begun.
func (d *detector) skipBlank(text *bufio.Reader) (byte, error) {
	for {
		head, err := text.Peek(headSize)
		content := bytes.TrimLeft(head, " \t\r\n\v\f")
		blank := head[:len(head)-len(content)]
		if len(content) > 0 {
			blank = blank[:bytes.LastIndexByte(blank, '\n')+1]
		} else if err != nil {
			return 0, err
		}
		d.line += bytes.Count(blank, []byte{'\n'})
		if _, err := text.Discard(len(blank)); err != nil {
			return 0, err
		}
		if len(content) > 0 {
			return content[0], nil
		}
	}
}

// firstLine reads a line with its end, and no more than one byte over max of it.
func firstLine(text *bufio.Reader, max int) (line []byte, err error) {
	for {
		part, err := text.Peek(1)
		if len(part) == 0 {
			if errors.Is(err, io.EOF) {
				return line, nil
			}
			return nil, err
		}
		part, _ = text.Peek(min(text.Buffered(), max+1-len(line)))
		end := bytes.IndexByte(part, '\n') + 1
		if end == 0 {
			end = len(part)
		}
		line = append(line, part[:end]...)
		if _, err := text.Discard(end); err != nil {
			return nil, err
		}
		if line[len(line)-1] == '\n' || len(line) > max {
			return line, nil
		}
	}
}

// textDecoder chooses the decoder of a text.
func (d *detector) textDecoder(text *bufio.Reader, first byte, l look) (decoder, form, error) {
	scan := scanner{r: text, line: d.line, max: d.Max}
	byLine := lines{r: text, line: d.line - 1, max: d.Max}
	switch {
	case first == '{' && l.isObject(d.name.plain()):
		key, err := d.wrapper(l)
		switch {
		case err != nil:
			return nil, "", err
		case key != "":
			return &items{scanner: scan, key: key}, form(fmt.Sprintf("%s in %q", jsonList, key)), nil
		case !l.cut && l.continues():
			return &values{scan}, jsonValues, nil
		}
		return &jsonLines{byLine}, jsonl, nil
	case first == '[' && l.isList(d.name.plain()):
		switch _, err := lineValue(l.line); {
		case err == nil && len(l.rest) > 0, err == nil && turns(l.line):
			return &jsonLines{byLine}, jsonl, nil
		case err != nil && turns(l.all()):
			return &values{scan}, jsonValues, nil
		}
		return &items{scanner: scan}, jsonList, nil
	case first == '"' && !d.name.table() && l.isTexts(d.name.plain()) && (d.name.json() || !d.heading(l).known):
		return &jsonLines{byLine}, jsonTexts, nil
	}
	return d.otherText(text, l, &plainLines{byLine})
}

// otherText chooses the decoder of a text that is no JSON.
func (d *detector) otherText(text *bufio.Reader, l look, asPlain decoder) (decoder, form, error) {
	h := d.heading(l)
	switch {
	case d.name.table():
		if err := h.check(d.name, d.line, l.rest); err != nil {
			return nil, "", err
		}
		return d.table(text, h.comma)
	case h.known && h.comma != '|' && (d.name.stdin || d.name.extension == ""):
		return d.table(text, h.comma)
	case h.known, h.names() && h.fits(l.rest):
		return nil, "", h.refuse(d.line)
	case d.name.plain() && l.dialogue():
		return nil, "", fmt.Errorf("line %d: a conversation of two speakers over several lines, of which each would be a prompt; write it as one text: jq -Rs '{prompt: .}' FILE > FILE.jsonl", d.line)
	case d.name.plain():
		return asPlain, plain, nil
	case d.name.json():
		_, err := lineValue(l.line)
		if err == nil {
			err = errors.New("neither an object nor a list nor a text")
		}
		return nil, "", fmt.Errorf("line %d: %w; the name says JSON: correct the line, or name a file with a prompt a line .txt", d.line, err)
	}
	switch d.name.extension {
	case ".yaml", ".yml", ".toml", ".md", ".py", ".xml":
		return nil, "", fmt.Errorf("line %d is not JSON, and %s is not read; write the prompts as JSONL, {\"prompt\": ...} a line", d.line, d.name.extension)
	}
	return nil, "", fmt.Errorf("line %d is not JSON, and a name that ends with %q is not one of plain text; if each line is a prompt, name the file .txt or pass it through standard input", d.line, d.name.extension)
}

// table reads the text as CSV or TSV.
func (d *detector) table(text *bufio.Reader, comma byte) (decoder, form, error) {
	dec, err := newTable(text, comma, d.Max, d.line)
	if comma == '\t' {
		return dec, tsvForm, err
	}
	return dec, csvForm, err
}

// wrapper returns the key of the list of rows in an object that is the whole input.
func (d *detector) wrapper(l look) (string, error) {
	object := l.line
	if _, err := lineValue(object); err == nil && len(l.rest) > 0 {
		return "", nil // a row a line
	} else if err != nil {
		object = l.all()
	}
	return wrapperKey(object, d.Column)
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
