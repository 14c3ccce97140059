package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"

	"amend/engine/chat"
	"amend/models/testbed"
)

// promptRow is a row of prompts.
type promptRow struct {
	ID       string    `json:"id"`
	Prompt   string    `json:"prompt,omitempty"`
	Messages []message `json:"messages,omitempty"` // of a conversation, in place of a prompt
}

type message struct {
	Role    chat.Role `json:"role"`
	Content string    `json:"content"`
}

// writePrompts writes prompts, one in six of them the later turn of a conversation: in wordings that training never saw, or in
// its own.
func writePrompts(out io.Writer, w *testbed.World, r *rand.Rand, rows int, heldOut bool) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	seen := map[string]bool{}
	for i := 0; i < rows; i++ {
		row := promptRow{ID: fmt.Sprintf("t%05d", i+1)}
		p := w.DrawPrompt(r, heldOut)
		if !heldOut && seen[p.Text] { // they are split into sets that are to be disjoint
			i--
			continue
		}
		seen[p.Text] = true
		if r.IntN(laterTurnOneIn) > 0 {
			row.Prompt = p.Text
		} else {
			first := w.DrawPrompt(r, heldOut)
			reply := w.DrawResponseWith(r, first, func(int) bool { return r.IntN(5) == 0 })
			row.Messages = []message{{chat.User, first.Text}, {chat.Assistant, reply.Text}, {chat.User, w.Thank(r, p).Text}}
		}
		if err := enc.Encode(row); err != nil {
			return fmt.Errorf("writing prompts: %w", err)
		}
	}
	return nil
}
