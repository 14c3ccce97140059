package render

import (
	"fmt"
	"io"

	"amend/cmd/amend/internal/app"
	"amend/engine/revise"
)

// Stream writes the turns of a row while they are written.
type Stream struct {
	page *Page
	open bool // a turn has begun
}

// NewStream streams to a terminal, or to anything else.
func NewStream(w io.Writer) *Stream { return &Stream{page: NewPage(w)} }

// Update takes the next part of a turn.
func (s *Stream) Update(w app.Written) {
	if !w.Begins {
		s.page.Text(Printable(w.Text))
		return
	}
	if s.open {
		s.page.Text("\n\n")
	}
	s.open = true
	name := string(w.Kind)
	if w.Round > 0 {
		name = fmt.Sprintf("round %d, %s under %s", w.Round, w.Kind, OneLine(w.Principle))
	}
	s.page.Heading(0, "=== "+name)
	if w.Request != "" {
		s.page.Wrapped(0, "("+w.Request+")")
	}
}

// Close ends the stream with what the checks found in the row's turns.
func (s *Stream) Close(rec revise.Record) error {
	if s.open {
		s.page.Text("\n\n")
	}
	for _, t := range rec.Turns {
		if len(t.Flags) == 0 {
			continue
		}
		name := string(t.Kind)
		if t.Round > 0 {
			name += fmt.Sprintf(" %d", t.Round)
		}
		s.page.Wrapped(0, joinFlags(name, t.Flags))
	}
	return s.page.err
}
