package main

import "amend/engine/chat"

// node is one message of a tree of conversations. Branches from one node share what is before them, as the
// engine's forks do.
type node struct {
	Parent int       `json:"parent"` // index in the tree, -1 for the first message
	Role   chat.Role `json:"role"`   // more: the parent's message goes on
	Text   string    `json:"text"`
	// Learn is set on what the model is to write.
	Learn bool `json:"learn,omitempty"`
}

// more is the role of a node that continues its parent's message.
const more chat.Role = "more"

// tree is a set of conversations.
type tree struct {
	Nodes []node `json:"nodes"`
}

const root = -1

func (t *tree) add(parent int, role chat.Role, text string) int {
	t.Nodes = append(t.Nodes, node{Parent: parent, Role: role, Text: text})
	return len(t.Nodes) - 1
}

func (t *tree) user(parent int, text string) int { return t.add(parent, chat.User, text) }

// learn adds what the model is to write.
func (t *tree) learn(parent int, text string) int {
	at := t.add(parent, chat.Assistant, text)
	t.Nodes[at].Learn = true
	return at
}

// given adds an assistant's message that was written by something else.
func (t *tree) given(parent int, text string) int { return t.add(parent, chat.Assistant, text) }
