package records

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
)

// refuseMarkup refuses a document in HTML or XML. A prompt may begin with a tag too: then prose follows on its line.
func refuseMarkup(text []byte) error {
	if len(text) == 0 || text[0] != '<' {
		return nil
	}
	line, rest, _ := bytes.Cut(text, []byte{'\n'})
	_, behind, closed := bytes.Cut(line, []byte{'>'})
	behind = bytes.TrimSpace(behind)
	prose := closed && len(behind) > 0 && behind[0] != '<' && !strings.HasSuffix(strings.ToLower(string(behind)), "</html>")
	for _, f := range []struct{ start, what string }{
		{"<!DOCTYPE", "this is an HTML page, perhaps the page about the file and not the file itself; download the raw file"},
		{"<HTML", "this is an HTML page, perhaps the page about the file and not the file itself; download the raw file"},
		{"<?XML", "this is XML; write it as JSONL"},
		{"<!--", "this is HTML or XML; write its texts as JSONL"},
	} {
		if n := len(f.start); len(text) >= n && strings.EqualFold(string(text[:n]), f.start) && !prose {
			return errors.New(f.what)
		}
	}
	name := tagName(text)
	rest = bytes.TrimSpace(rest)
	if name == "" || len(rest) == 0 {
		return nil
	}
	whole := bytes.HasSuffix(rest, []byte("</"+name+">"))
	if whole && !prose || closed && len(behind) == 0 && rest[0] == '<' {
		return errors.New("this is HTML or XML; write its texts as JSONL")
	}
	return nil
}

// tagName is the name of the tag that a text begins with.
func tagName(text []byte) string {
	tag := regexp.MustCompile(`^<([A-Za-z][A-Za-z0-9:_-]*)(\s|>|$)`).FindSubmatch(text[:min(len(text), 100)])
	if tag == nil {
		return ""
	}
	return string(tag[1])
}

// refuseAnswer refuses what a server says in place of a file.
func refuseAnswer(head []byte) error {
	switch text := string(bytes.TrimSpace(head)); text {
	case "404: Not Found", "404 Not Found", "Not Found", "Entry not found", "Repository not found", "Access denied", "Invalid username or password.":
		return errors.New("this is a server's answer, " + text + ", and not the file itself; download it again")
	}
	return nil
}

// isTextPickle reports whether a text is a Python pickle of protocol 0.
func isTextPickle(head []byte) bool {
	return regexp.MustCompile(`^(\([ld]p\d+\n|c[a-z_.]+\n[A-Za-z_]+\n(p\d+\n|\())`).Match(head[:min(len(head), 200)])
}

// isPythonList reports whether a text is a list of texts as Python prints it.
func isPythonList(text []byte) bool {
	line, _, _ := bytes.Cut(text, []byte{'\n'})
	line = bytes.TrimSpace(line)
	if string(line) == "[" {
		return regexp.MustCompile(`^\[\s*'`).Match(text)
	}
	return bytes.HasPrefix(line, []byte("['")) && (bytes.HasSuffix(line, []byte("']")) || bytes.HasSuffix(line, []byte("',")))
}
