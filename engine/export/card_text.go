package export

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"amend/engine/feedback"
)

// cardText writes what people read of a dataset card.
type cardText struct {
	b    *bytes.Buffer
	r    *Report
	from *Source
	o    *Options
}

// purpose says in a sentence or two what rows are.
func (o *Options) purpose(r *Report) string {
	text := o.Format.purpose()
	switch {
	case o.Labels:
		text = o.Format.labelledPurpose()
	case o.Format == SFT && r.Changed == 0 && r.First.NotTried > 0:
		text = "Conversations that end with a model's first response, for supervised fine-tuning. The run has no revisions: these " +
			"answers were neither criticised nor found clean."
	}
	if o.Repeat > 0 {
		text += fmt.Sprintf(" Each pair is there %d times, in either direction in proportion to its label.", o.Repeat)
	}
	return text
}

func (f Format) labelledPurpose() string {
	return map[Format]string{
		DPO: "Pairs of answers: `chosen` is the one that a model preferred, as a judge, under principles of a constitution (Bai et al. " +
			"2022, arXiv 2212.08073, section 4); `label_prob` is how probable it found that, over both orders and all principles.",
		KTO: "Answers with a label: true for the one of two that a model preferred, as a judge, under principles of a constitution; " +
			"`label_prob` is how probable it found that, over both orders and all principles.",
		Reward: "Pairs of whole conversations: `chosen` ends with the answer that a model preferred, as a judge, under principles of a " +
			"constitution; `label_prob` is how probable it found that, over both orders and all principles.",
	}[f]
}

// purpose says the same of a set without labels.
func (f Format) purpose() string {
	return map[Format]string{
		SFT: "Conversations for supervised fine-tuning. Each ends with an answer that a model criticised and revised under a " +
			"constitution (Bai et al. 2022, arXiv 2212.08073, section 3), or with a first response as counted below.",
		DPO: "Pairs of answers: `chosen` is a revision under a constitution, `rejected` the first response that it revises. That " +
			"the revision is better is an assumption; no label says so.",
		KTO: "Answers with a label: true for revisions under a constitution, false for the first responses that they revise. The " +
			"label is an assumption; nobody judged the answers.",
		Reward: "Pairs of whole conversations: `chosen` ends with a revision under a constitution, `rejected` with the first " +
			"response that it revises. That the revision is better is an assumption; no label says so.",
		Raw: "Whole traces of a critique-and-revision run: every turn with its principle, request, text, token ids and seeds. A " +
			"record of what happened, not a training set.",
	}[f]
}

// done says how rows were chosen.
func (c cardText) done() {
	if c.o.Format == Raw {
		return
	}
	c.b.WriteString("\n## What was done\n\n")
	for _, line := range slices.Concat(c.chosenBy(), c.checkedBy(), c.filteredBy()) {
		fmt.Fprintf(c.b, "- %s\n", line)
	}
}

// chosenBy says which answers of a row or a pair are taken.
func (c cardText) chosenBy() []string {
	first := c.r.First
	switch {
	case c.o.Labels && c.from.Revision != feedback.Unknown:
		return []string{"The answer to learn is the revision, which the judge prefers to its draft."}
	case c.o.Labels:
		return []string{"The answer to learn is the one that the judge prefers."}
	case c.o.Format != SFT:
		return []string{"The answer to learn is a row's last revision that passed and says something else than the first response. The other one is the first response."}
	case c.r.Changed == 0 && first.NotTried > 0:
		return []string{"The answer to learn is the first response: the run has no revisions."}
	}
	which := "a row's last revision that passed"
	if c.o.AllRevisions {
		which = "each of a row's revisions that passed, an example of its own"
	}
	lines := []string{
		"The answer to learn is " + which + " and says something else than the first response: " + count(c.r.Changed, "example") + ".",
		"Where there is none, it is the first response if a verdict found it clean: " + count(first.Clean, "example") + ".",
	}
	switch {
	case c.o.KeepFirst:
		lines = append(lines, "It is also the first response where no revision passed (`--keep-first`). No verdict found these clean: "+count(first.Kept, "example")+".")
	case c.o.DropUnchanged:
		lines[1] = "First responses are left out (`--drop-unchanged`)."
	}
	return lines
}

// checkedBy says which checks answers passed.
func (c cardText) checkedBy() (lines []string) {
	pairs := c.o.Format != SFT
	switch {
	case !c.o.Hygiene && c.o.Labels:
		lines = append(lines, "Answers that a check flagged are taken too (`--hygiene=false`).")
	case !c.o.Hygiene:
		lines = append(lines, "Passed means: no gate refused it. Answers that a check flagged are taken too (`--hygiene=false`).")
	case c.o.Labels:
		lines = append(lines, "No check of amend flagged either answer of a pair.")
	default:
		lines = append(lines, "Passed means: no check of amend flagged it (cut off, empty, repeating, a critique in place of an answer, a lead-in and others), its text is whole, and no gate refused it.")
		if pairs {
			lines = append(lines, "The answer to reject is not cut off, empty, repeating, broken text or copied from a demonstration.")
		}
	}
	if pairs {
		lines = append(lines, fmt.Sprintf("The two answers differ in at least %.0f %% of their words, and do not both decline in at most %d words.", 100*leastDistance, shortRefusal))
	}
	return lines
}

// filteredBy says which filters were set, and what was found without them.
func (c cardText) filteredBy() (lines []string) {
	add := func(set bool, format string, args ...any) {
		if set {
			lines = append(lines, fmt.Sprintf(format, args...))
		}
	}
	add(len(c.o.Principles) > 0, "Only rows revised under one of these principles: %s.", strings.Join(c.o.Principles, ", "))
	add(c.o.MaxChars > 0, "Conversations have at most %d characters.", c.o.MaxChars)
	add(c.o.Labels && c.o.MinMargin > 0, "The two probabilities of a label differ by at least %v.", c.o.MinMargin)
	add(c.o.Labels && c.o.MaxFlip < 1, "The judge changes its mind with the order under at most %v of the principles.", c.o.MaxFlip)
	if c.o.NearDuplicates > 0 {
		add(true, "Rows that share %.0f %% of their word triples with an earlier one, prompt and answer together, are left out (MinHash).", 100*c.o.NearDuplicates)
	} else {
		add(true, "Duplicates are kept. Examples with the prompt and answer of an earlier one: %d. Near-duplicates, which share %.0f %% of their word triples with an earlier one (MinHash): %d.",
			c.r.Exact, 100*c.r.Threshold, c.r.Near)
	}
	add(len(c.o.Evaluations) == 0, "Nothing was compared with evaluation sets (`--decontaminate`).")
	add(len(c.o.Evaluations) > 0, "Rows are left out whose prompt or answer shares %d words in a row with an evaluation file below, or whose whole prompt is a shorter text of it.", gramWords)
	add(c.o.TestShare > 0, "A share of %v of the prompts, by their hashes, is in the split test.", c.o.TestShare)
	add(c.o.Disjoint, "Half of the prompts, by their hashes, are for %s and the others for pairs (`--disjoint`).", SFT)
	return lines
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// counts writes what was taken and what was left out.
func (c cardText) counts() {
	read := "rows of the run"
	if c.o.Labels {
		read = "labelled pairs"
	}
	fmt.Fprintf(c.b, "\n## Counts\n\n| | |\n|---|---|\n| %s | %d |\n| in the set | %d |\n", read, c.r.Read, c.r.Taken)
	for _, why := range Reasons() {
		n := c.r.LeftOut[why]
		if n == 0 {
			continue
		}
		text := why.text()
		if why == FlagsBelong(c.r.LeftOut) {
			text += c.flags()
		}
		fmt.Fprintf(c.b, "| left out: %s | %d |\n", text, n)
	}
	for _, split := range slices.Sorted(maps.Keys(c.r.Examples)) {
		fmt.Fprintf(c.b, "| examples in %s | %d |\n", split, c.r.Examples[split])
	}
	if len(c.r.LeftOut) > 0 {
		c.b.WriteString("\nEach row is counted once, by the first reason that holds, in this order.\n")
	}
}

// flags names the flags of what is left out.
func (c cardText) flags() string {
	var found []string
	for _, f := range Faults() {
		if n := c.r.Flags[f]; n > 0 {
			found = append(found, fmt.Sprintf("%s %d", f, n))
		}
	}
	if len(found) == 0 {
		return ""
	}
	return " (" + strings.Join(found, ", ") + ")"
}

// evaluations writes what rows were compared with.
func (c cardText) evaluations() {
	if len(c.o.Evaluations) == 0 {
		return
	}
	c.b.WriteString("\n| evaluation file | records | sha256 | rows left out |\n|---|---|---|---|\n")
	for _, e := range c.o.Evaluations {
		records := fmt.Sprint(e.Records)
		if e.Unread > 0 {
			records += fmt.Sprintf(", and %d that could not be read", e.Unread)
		}
		fmt.Fprintf(c.b, "| %s | %s | %s | %d |\n", cell(e.Name), records, e.SHA256, e.LeftOut)
	}
}

// lengths writes how long texts are, and in which languages.
func (c cardText) lengths() {
	if c.o.Format == Raw {
		return
	}
	c.b.WriteString("\n| words | 5 % | median | 95 % |\n|---|---|---|---|\n")
	row := func(what string, s Spread) {
		fmt.Fprintf(c.b, "| %s | %d | %d | %d |\n", what, s.Low, s.Median, s.High)
	}
	row("prompt", c.r.Prompt)
	if c.r.Rejected == nil {
		row("answer", c.r.Answer)
	} else {
		row("answer to learn", c.r.Answer)
		row("answer to reject", *c.r.Rejected)
	}
	fmt.Fprintf(c.b, "\nLanguages of the answers to learn: %s. ", c.languages())
	fmt.Fprintf(c.b, "In another language than the prompt: %d. A guess by script and commonest words; names, code and a few words are not recognised.\n", c.r.OtherLanguage)
}

// languages lists languages, the most frequent first.
func (c cardText) languages() string {
	var out []string
	for _, l := range byCount(c.r.Languages) {
		out = append(out, fmt.Sprintf("%s %d", cmp.Or(l, "not recognised"), c.r.Languages[l]))
	}
	return strings.Join(out, ", ")
}

// byCount are the keys of counts, the highest first.
func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

// rounds writes what the rounds did.
func (c cardText) rounds() {
	if len(c.r.Rounds) == 0 {
		return
	}
	c.b.WriteString("\nAll revisions of the run that took their draft's place:\n\n| round | revisions | that change their draft | flags |\n|---|---|---|---|\n")
	for _, round := range c.r.Rounds {
		var flags []string
		for _, f := range slices.Sorted(maps.Keys(round.Flags)) {
			flags = append(flags, fmt.Sprintf("%s %d", f, round.Flags[f]))
		}
		fmt.Fprintf(c.b, "| %d | %d | %d | %s |\n", round.Round, round.Revisions, round.Changed, strings.Join(flags, ", "))
	}
}

// made writes what made the rows.
func (c cardText) made() {
	c.b.WriteString("\n## What made it\n\n| | |\n|---|---|\n")
	for _, f := range c.from.Facts {
		text := cell(f.Value)
		if f.Name == ConstitutionFact && len(c.from.Constitution) > 0 {
			text += ", in [" + constitutionFile + "](" + constitutionFile + ")"
		}
		fmt.Fprintf(c.b, "| %s | %s |\n", f.Name, text)
	}
	if len(c.r.Principles) > 0 {
		var drawn []string
		for _, p := range byCount(c.r.Principles) {
			drawn = append(drawn, fmt.Sprintf("%s %d", p, c.r.Principles[p]))
		}
		fmt.Fprintf(c.b, "| principles, and examples under each | %s |\n", cell(strings.Join(drawn, ", ")))
	}
	fmt.Fprintf(c.b, "| format | %s, %s |\n", c.r.Format, c.r.Encoding)
}

// cell is a text that stands in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
}

// usage shows how to load a format, and with which trainer of TRL.
func (f Format) usage() string {
	load := "from datasets import load_dataset\n\nds = load_dataset(\"PATH\")\n"
	trainer := map[Format]string{SFT: "SFTTrainer", DPO: "DPOTrainer", KTO: "KTOTrainer", Reward: "RewardTrainer"}[f]
	if trainer == "" {
		return load + "ds[\"train\"][0][\"turns\"]\n"
	}
	return load + "\nfrom trl import " + trainer + "\n\n" + trainer + "(model=\"MODEL\", train_dataset=ds[\"train\"]).train()\n"
}

const limits = `
## What it is not good for

The answers are a model's own, judged by that model. Principles that the model misunderstands are kept badly, mistakes of
fact go unnoticed, and what the constitution does not speak of is as the model had it. Nobody has read the rows. A model
trained on them learns the style of the revisions, their habits and refusals included. The prompts may ask for harm; some
first responses (in pairs: ` + "`rejected`" + `) give it.
`
