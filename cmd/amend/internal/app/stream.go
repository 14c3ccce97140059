package app

import (
	"encoding/json"
	"unicode/utf8"

	"amend/cmd/amend/internal/worker"
	"amend/engine/revise"
)

// Written is a part of a turn that is being written.
type Written struct {
	Begins bool // a turn begins; then Text is empty
	// Of the turn.
	Kind      revise.Kind
	Round     int
	Principle string
	Request   string
	Text      string // that is new
}

// writtenTopic is what workers tell what is written on.
const writtenTopic = "written"

// streamer tells the parent what a row's turns say, while they are written.
type streamer struct {
	parent *worker.Client
	turn   Written
	told   int // bytes of the turn's text
}

func newStreamer(parent *worker.Client) *streamer { return &streamer{parent: parent} }

// listen follows the turns of a loop.
func (s *streamer) listen(l *revise.Loop) {
	l.Watch(func(a revise.Asked) {
		s.turn = Written{Begins: true, Kind: a.Kind, Round: a.Round, Principle: a.Principle, Request: a.Request}
		s.tell(s.turn)
		s.turn.Begins, s.told = false, 0
	})
	l.Hear(func(text []byte) {
		end := whole(text)
		if end <= s.told { // also of a turn that was started again: it says the same
			return
		}
		w := s.turn
		w.Text, s.told = string(text[s.told:end]), end
		s.tell(w)
	})
}

// whole is how much of a text is not the beginning of a character.
func whole(text []byte) int {
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if c := text[len(text)-i]; utf8.RuneStart(c) {
			if !utf8.FullRune(text[len(text)-i:]) {
				return len(text) - i
			}
			break
		}
	}
	return len(text)
}

func (s *streamer) tell(w Written) {
	if text, err := json.Marshal(w); err == nil {
		_ = s.parent.Notify(writtenTopic, text) // a parent that is gone ends the process by itself
	}
}
