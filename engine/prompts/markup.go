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

// assistants are the names of assistants in texts with lines of two speakers.
func assistants() []string { return []string{"Assistant", "ASSISTANT", "AI", "Bot", "BOT", "GPT"} }

// spoken matches a text with lines of two speakers, such as "USER: … ASSISTANT: …", which need not begin it.
func spoken() *regexp.Regexp {
	return regexp.MustCompile(`(?s)(^|\s)(### )?(User|USER|Human|HUMAN): .*?(\s|</s>)(### )?(` + strings.Join(assistants(), "|") + `):(\s|$)`)
}

// hasMarkup reports whether a text of a conversation holds marks of turns, or matches spoken: it may be several.
func hasMarkup(msgs []chat.Message, spoken *regexp.Regexp) bool {
	return slices.ContainsFunc(msgs, func(m chat.Message) bool {
		holds := func(mark string) bool { return strings.Contains(m.Text, mark) }
		return slices.ContainsFunc(markup(), holds) ||
			slices.ContainsFunc(assistants(), func(name string) bool { return holds(name + ":") }) && spoken.MatchString(m.Text)
	})
}
