package constitution

import (
	"regexp"
	"strings"
)

// demonstrations reports a preamble that is too long, that is missing, or from which a model learns that there is always
// something wrong.
func (l *linter) demonstrations() {
	words, clean := 0, 0
	for _, m := range l.doc.Demonstrations {
		for _, text := range []string{m.Prompt, m.Response, m.CritiqueRequest, m.Critique, m.RevisionRequest, m.Revision} {
			words += len(strings.Fields(text))
		}
		if m.clean() {
			clean++
		}
	}
	switch {
	case len(l.doc.Demonstrations) == 0:
		l.addDocument(Warning, "demonstrations", "no-demonstrations", "there are no demonstrations, and without any small models often write a critique where a revision is due: give three or more")
	case clean == 0:
		l.addDocument(Warning, "demonstrations", "no-clean-case", "none of the %d demonstrations finds nothing to correct, so a model learns to always find something: let one in three leave a good response as it is", len(l.doc.Demonstrations))
	}
	if words > longPreamble {
		l.addDocument(Warning, "demonstrations", "long-preamble", "the demonstrations have %d words with their requests; with more than %d a context of 2,048 tokens holds no conversation behind them", words, longPreamble)
	}
}

// clean reports whether a demonstration finds nothing to correct.
func (m Demonstration) clean() bool {
	return m.Response == m.Revision || nothingWrong.MatchString(m.Critique)
}

// requests reports critique requests that a model can only answer by finding a breach, and principles under which no judge
// can be asked.
func (l *linter) requests() {
	var leading, unjudged []Principle
	for _, p := range l.doc.Principles {
		if presupposes(p.CritiqueRequest) {
			leading = append(leading, p)
		}
		if p.JudgeInstruction == "" {
			unjudged = append(unjudged, p)
		}
	}
	all := len(l.doc.Principles)
	if len(leading) > 0 {
		l.add(Warning, leading[0], "critique_request", "presupposes", "%d of %d critique requests take a breach for granted, of which this is the first. A model then finds one in any response: ask whether there is one, or add \"If there is nothing to correct, say so.\"", len(leading), all)
	}
	if len(unjudged) > 0 {
		l.add(Warning, unjudged[0], "text", "no-judge-instruction", "%d of %d principles have no judge_instruction, of which this is the first: no gate and no judge can be asked under them. One template in prompts is enough", len(unjudged), all)
	}
}

// presupposes reports whether an English request asks what is wrong, and not whether anything is.
func presupposes(request string) bool {
	return asksWhat.MatchString(request) && !asksWhether.MatchString(request)
}

var (
	nothingWrong = regexp.MustCompile(`(?i)\bnothing\b[^.]{0,20}\b(wrong|correct|change|fix|mend|improve|object)|\bfinds? nothing\b|\bno (breach|fault|problem|issue|change)s?\b`)
	asksWhat     = regexp.MustCompile(`(?i)^(please,? |now |briefly |in one sentence,? )*(identify|list|point (out|to)|name|quote|find|describe|explain|say|show|tell|highlight|specify|where|how|why|which|what|in (what|which) ways?)\b`)
	asksWhether  = regexp.MustCompile(`(?i)\b(whether|if (any|there|nothing|none|not|so|it|the|you|all|no))\b`)
)
