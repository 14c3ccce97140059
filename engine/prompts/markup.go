package prompts

import (
	"regexp"
	"slices"
	"strings"

	"amend/engine/chat"
)

// markup are marks of turns in rendered chat templates and transcripts. Within a text they are taken as they are.
func markup() []string {
	return []string{"<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|user|>", "[INST]", "### Instruction:", "[|Human|]", chat.AssistantMark,
		"<extra_id_1>", "<|prompter|>", "<|User|>", "<|start|>", "<|turn>", "<|end_of_turn|>", "<|endoftext|>", "<human>:", "<bot>:", "**Human:**", "[Human]:", "<image>"}
}

// spoken are texts with lines of two speakers that are no transcript: other names, or a system's line first.
func spoken() *regexp.Regexp {
	return regexp.MustCompile(`(?is)(^|\s)(user|human|### user|### human): .*?(\s|</s>)(### )?(assistant|ai|bot|gpt):(\s|$)`)
}

// hasMarkup reports whether a text of a conversation holds marks of turns: it may be several.
func hasMarkup(msgs []chat.Message) bool {
	words := spoken()
	return slices.ContainsFunc(msgs, func(m chat.Message) bool {
		return slices.ContainsFunc(markup(), func(mark string) bool { return strings.Contains(m.Text, mark) }) || words.MatchString(m.Text)
	})
}
