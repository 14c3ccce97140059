package prompts

import (
	"fmt"
	"strings"
	"unicode"

	"amend/engine/chat"
	"amend/engine/digest"
)

// maxID is the longest id in bytes: ids are typed and printed.
const maxID = 256

// ids hands out the ids of one input.
type ids struct {
	given  map[string]place // where each id was given
	copies map[string]int   // rows so far for each hash of a conversation
}

func newIDs() ids { return ids{given: map[string]place{}, copies: map[string]int{}} }

// assign returns the id of what a record holds: its own, which no earlier one may have, or where it has none one made from
// these messages.
func (d ids) assign(id string, msgs []chat.Message, at place) (string, error) {
	hash := ""
	if id == "" {
		hash = hashOf(msgs)
		id = hash
		if n := d.copies[hash]; n > 0 {
			id = fmt.Sprintf("%s-%d", hash, n+1)
		}
	}
	if first, ok := d.given[id]; ok {
		where := fmt.Sprintf("line %d", first.line)
		if first.file != at.file {
			where += " of " + first.file
		}
		return "", fmt.Errorf("id: %q is already the id of %s; make ids unique, or rename the column", clip(id), where)
	}
	d.given[id] = at
	if hash != "" {
		d.copies[hash]++
	}
	return id, nil
}

// hashOf returns 16 hexadecimal digits for a conversation. Two that share them all the same are numbered like copies.
func hashOf(msgs []chat.Message) string { return digest.RowID(chat.Texts(msgs)) }

// checkID refuses ids that could not be typed or printed on one line.
func checkID(id string) error {
	if strings.TrimSpace(id) == "" {
		return fmt.Errorf("empty")
	}
	if len(id) > maxID {
		return fmt.Errorf("%d bytes, at most %d are allowed", len(id), maxID)
	}
	if strings.ContainsFunc(id, unicode.IsControl) {
		return fmt.Errorf("%q holds a control character", clip(id))
	}
	return nil
}

// clip shortens text from the input for a message.
func clip(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
