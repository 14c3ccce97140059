package prompts

import (
	"slices"
	"strings"

	"amend/engine/chat"
)

// markup are marks of turns in rendered chat templates and transcripts. Within a text they are taken as they are.
func markup() []string {
	return []string{"<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "[INST]", "### Instruction:", "[|Human|]", chat.AssistantMark}
}

// hasMarkup reports whether a text of a conversation holds marks of turns: it may be several.
func hasMarkup(msgs []chat.Message) bool {
	return slices.ContainsFunc(msgs, func(m chat.Message) bool {
		return slices.ContainsFunc(markup(), func(mark string) bool { return strings.Contains(m.Text, mark) })
	})
}
