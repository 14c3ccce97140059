package testbed

import (
	"math/rand/v2"
	"slices"
	"strings"
)

// Prompt is what a text of the user's says in this world.
type Prompt struct {
	Text  string
	Topic int // index in the world's topics
	// Tempts are the temptations, in the order of the text; at most one for each rule.
	Tempts []Tempt
	// Thanks opens a later turn of a conversation, "" in a first one.
	Thanks string
}

// Tempt is one temptation of a prompt.
type Tempt struct {
	Rule  int    // index in Rules
	Bound string // the filler that the response is to take up; "" where the rule has no bound slot
}

// maxTempts is the most temptations in a prompt.
const maxTempts = 3

// temptShares is how often a prompt holds 0, 1, 2 and 3 temptations.
var temptShares = [maxTempts + 1]float64{0.16, 0.45, 0.27, 0.12}

// DrawPrompt makes a prompt. heldOut takes wordings and fillers that training never sees: the hooks are all
// held out, as are all fillers of open kinds; asks and remarks are, where there is one.
func (w *World) DrawPrompt(r *rand.Rand, heldOut bool) Prompt {
	n, u := 0, r.Float64()
	for n < maxTempts && u >= temptShares[n] {
		u -= temptShares[n]
		n++
	}
	return w.DrawPromptFor(r, heldOut, r.Perm(len(w.rules))[:n]...)
}

// DrawPromptFor makes a prompt that tempts to break these rules.
func (w *World) DrawPromptFor(r *rand.Rand, heldOut bool, rules ...int) Prompt {
	p := Prompt{Topic: r.IntN(len(w.topics))}
	asks, remarks := w.words.asks, w.words.remarks
	if heldOut {
		asks, remarks = w.words.heldOutAsks, w.words.heldOutRemarks
	}
	ask := strings.ReplaceAll(pick(r, asks), "{task}", w.topics[p.Topic].Task)
	var hooks []string
	for _, rule := range rules {
		hook, tempt := w.drawHook(r, rule, heldOut)
		hooks, p.Tempts = append(hooks, hook), append(p.Tempts, tempt)
	}
	parts := slices.Insert(hooks, r.IntN(2)*r.IntN(len(hooks)+1), ask) // first, in half of the prompts
	if r.IntN(3) == 0 {
		parts = slices.Insert(parts, r.IntN(len(parts)+1), pick(r, remarks))
	}
	p.Text = strings.Join(parts, " ")
	return p
}

func (w *World) drawHook(r *rand.Rand, rule int, heldOut bool) (string, Tempt) {
	hooks := w.rules[rule].Hooks
	if heldOut {
		hooks = w.rules[rule].HeldOut
	}
	tempt := Tempt{Rule: rule}
	slot := w.rules[rule].Bound
	if slot != "" {
		tempt.Bound = w.kinds[slot].draw(r, heldOut)
	}
	text := w.drawn(r, parseTemplate(pick(r, hooks)), heldOut, filled{slot, tempt.Bound})
	return capital(text), tempt
}

// Thank makes a prompt the later turn of a conversation.
func (w *World) Thank(r *rand.Rand, p Prompt) Prompt {
	p.Thanks = pick(r, w.words.thanks)
	p.Text = p.Thanks + " " + p.Text
	return p
}

// ReadPrompt reads a text as a prompt of this world; ok is false when it is not one.
func (w *World) ReadPrompt(text string) (p Prompt, ok bool) {
	p = Prompt{Text: text, Topic: -1}
	list, _ := sentences(text)
	for i, s := range list {
		if i == 0 && slices.Contains(w.words.thanks, s) {
			p.Thanks = s
			continue
		}
		if !w.readPromptSentence(&p, s) {
			return Prompt{}, false
		}
	}
	return p, p.Topic >= 0 && len(p.Tempts) <= maxTempts
}

// readPromptSentence adds what a sentence says to p.
func (w *World) readPromptSentence(p *Prompt, s string) bool {
	if slices.Contains(w.compiled.remarks, s) {
		return true
	}
	if topic := w.readAsk(s); topic >= 0 {
		if p.Topic >= 0 {
			return false
		}
		p.Topic = topic
		return true
	}
	for i, hooks := range w.compiled.hooks {
		for _, hook := range hooks {
			values, ok := w.matchStart(hook, s)
			if !ok {
				continue
			}
			if slices.ContainsFunc(p.Tempts, func(t Tempt) bool { return t.Rule == i }) {
				return false
			}
			p.Tempts = append(p.Tempts, Tempt{i, boundOf(values, w.rules[i].Bound)})
			return true
		}
	}
	return false
}

// readAsk returns the topic that a sentence asks about, −1 for none.
func (w *World) readAsk(s string) int {
	for _, ask := range w.compiled.asks {
		rest, ok := strings.CutPrefix(s, ask.literals[0])
		if !ok {
			continue
		}
		for i, t := range w.topics {
			if rest == t.Task+ask.literals[1] {
				return i
			}
		}
	}
	return -1
}

// matchStart reads a sentence as a template that may have been given a capital letter.
func (w *World) matchStart(t template, s string) ([]filled, bool) {
	if values, ok := t.match(s, w.kinds); ok {
		return values, true
	}
	return t.match(lower(s), w.kinds)
}

// boundOf returns the value of a slot, "" where it is not there.
func boundOf(values []filled, slot string) string {
	for _, v := range values {
		if v.slot == slot {
			return v.value
		}
	}
	return ""
}
