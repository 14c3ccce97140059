package chat

import (
	"maps"
	"regexp"
	"strings"
)

// ThinkTags are the texts around what a model thinks before it answers. They may be control tokens: decode generated
// tokens with special tokens shown before SplitThink looks for them.
type ThinkTags struct {
	Open  string // begins the thinking
	Close string // ends it; the answer follows
}

// thinkFamilies is matched in order against a template's source. The texts are what the models write, which for some
// is not what the source spells out.
var thinkFamilies = []struct {
	sign string
	tags ThinkTags
}{
	{"'<think{}>'", ThinkTags{"<think:opensource>", "</think:opensource>"}},                                    // Hy3 builds it with format
	{"<seed:think>", ThinkTags{"<seed:think>", "</seed:think>"}},                                               // Seed-OSS
	{"<mm:think>", ThinkTags{"<mm:think>", "</mm:think>"}},                                                     // MiniMax M3
	{"<|START_THINKING|>", ThinkTags{"<|START_THINKING|>", "<|END_THINKING|>"}},                                // Command R7B and later
	{"[THINK]", ThinkTags{"[THINK]", "[/THINK]"}},                                                              // Magistral, Ministral 3
	{"<|inner_prefix|>", ThinkTags{"<|inner_prefix|>", "<|inner_suffix|>"}},                                    // Apertus
	{"<|channel>thought", ThinkTags{"<|channel>thought\n", "<channel|>"}},                                      // Gemma 4
	{"<|channel|>analysis", ThinkTags{"<|channel|>analysis<|message|>", "<|channel|>final<|message|>"}},        // gpt-oss
	{"<|begin|>assistant<|think|>", ThinkTags{"<|think|>", "<|content|>"}},                                     // Solar Open
	{"open_tag('think'", ThinkTags{"<|open|>think<|sep|>", "<|close|>think<|sep|><|open|>response<|sep|>"}},    // Kimi K3
	{"'Here are my reasoning steps:\\n'", ThinkTags{"Here are my reasoning steps:", "[BEGIN FINAL RESPONSE]"}}, // Apriel 1.6
	{"<think>", commonThinkTags},
	{"</think>", commonThinkTags},
}

// Most families: DeepSeek R1, Qwen 3, GLM, SmolLM3, Nemotron, Granite 3.3.
var commonThinkTags = ThinkTags{"<think>", "</think>"}

// TagsFor returns the tags of the family that a template's source belongs to. For a template that knows of no thinking
// it returns the commonest tags and false: a model trained further under a plain template may still write them.
func TagsFor(template string) (ThinkTags, bool) {
	for _, f := range thinkFamilies {
		if strings.Contains(template, f.sign) {
			return f.tags, true
		}
	}
	return commonThinkTags, false
}

// PromptOpensThink reports whether a rendered prompt ends inside the thinking, so that the model writes no Open.
func PromptOpensThink(prompt string, tags ThinkTags) bool {
	return tags != ThinkTags{} && strings.HasSuffix(strings.TrimSpace(prompt), strings.TrimSpace(tags.Open))
}

// closeThink ends the thought that a prompt opens. Most families write an empty one as two blank lines between the tags.
func closeThink(prompt string, tags ThinkTags) string {
	if tags != commonThinkTags {
		return prompt + tags.Close
	}
	return strings.TrimRight(prompt, spaces) + "\n\n" + tags.Close + "\n\n"
}

// SplitThink parts a generated turn into what the model thought and what it answers. The answer is
// text[answerStart:], without the white space around the tags; a turn that ended while thinking has no answer.
// openInPrompt says that the prompt ended with tags.Open (PromptOpensThink). Only thinking at the start of a turn is
// looked for: tags later on are part of the answer, which may speak of them.
func SplitThink(text string, tags ThinkTags, openInPrompt bool) (think, answer string, answerStart int) {
	if tags == (ThinkTags{}) { // a layout without thinking
		return "", text, 0
	}
	rest := text
	var thoughts []string
	for inside := openInPrompt; ; inside = false {
		begin := strings.TrimLeft(rest, spaces)
		switch {
		case strings.HasPrefix(begin, tags.Open):
			begin = begin[len(tags.Open):]
		case strings.HasPrefix(begin, tags.Close):
			// Thinking that is empty, or left out by a model that marks its answer.
		case !inside:
			answerStart = len(text) - len(rest)
			return strings.Join(thoughts, "\n"), rest, answerStart
		}
		thought, after, closed := strings.Cut(begin, tags.Close)
		if thought = strings.Trim(thought, spaces); thought != "" {
			thoughts = append(thoughts, thought)
		}
		if !closed {
			return strings.Join(thoughts, "\n"), "", len(text)
		}
		rest = strings.TrimLeft(after, spaces)
	}
}

const spaces = " \t\r\n"

// thinkSwitch is a variable of some families' templates that turns thinking off, or down where it has no off.
type thinkSwitch struct {
	sign *regexp.Regexp // of the variable's use in the source
	vars map[string]any
}

var thinkSwitches = []thinkSwitch{
	// Qwen 3, GLM, SmolLM3, Nemotron 3, Gemma 4, Spark, Ling, MiniCPM5, Laguna, Command R7B, Apertus, Bielik, Reka, RWKV
	{regexp.MustCompile(`\benable_thinking\b`), map[string]any{"enable_thinking": false}},
	// Granite 3.3, DeepSeek V3.1 and later, Kimi K3. The word alone is in the prose of many others.
	{regexp.MustCompile(`\{%-?\s*(el)?if\s+(not\s+)?thinking\b`), map[string]any{"thinking": false}},
	// Seed-OSS: a budget of 0 tokens closes the thinking in the prompt.
	{regexp.MustCompile(`\bthinking_budget\s*==\s*0`), map[string]any{"thinking_budget": 0}},
	// MiniMax M3: enabled, adaptive (its default) or disabled.
	{regexp.MustCompile(`\bthinking_mode\s*==\s*"disabled"`), map[string]any{"thinking_mode": "disabled"}},
	// Command A Reasoning and North: a boolean of its own.
	{regexp.MustCompile(`\bset reasoning = reasoning if`), map[string]any{"reasoning": false}},
	// Hy3 knows only no_think, low and high, and raises an exception for others.
	{regexp.MustCompile(`\breasoning_effort == 'no_think'`), map[string]any{"reasoning_effort": "no_think"}},
	// Solar Open writes an empty thought into the prompt for minimal.
	{regexp.MustCompile(`\breasoning_effort in \["low", "minimal"\]`), map[string]any{"reasoning_effort": "minimal"}},
	// gpt-oss cannot stop thinking: low is its least.
	{regexp.MustCompile(`"Reasoning: " \+ reasoning_effort`), map[string]any{"reasoning_effort": "low"}},
	// Muse Glimmer as well.
	{regexp.MustCompile(`\bset rs = reasoning_strength\b`), map[string]any{"reasoning_strength": "low"}},
}

// ThinkingOff returns the variables that make a template with this source ask for an answer without thinking, or with
// as little as the model can. It is empty where the template offers no choice: models that always think (DeepSeek R1,
// MiniMax M2, Kimi K2 Thinking, StepFun, Apriel), those that are told in a message's text (Nemotron Nano v2: /no_think),
// and those that never think.
func ThinkingOff(source string) map[string]any {
	vars := map[string]any{}
	for _, s := range thinkSwitches {
		if s.sign.MatchString(source) {
			maps.Copy(vars, s.vars)
		}
	}
	return vars
}
