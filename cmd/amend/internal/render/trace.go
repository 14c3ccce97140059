package render

import (
	"fmt"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/constitution"
	"amend/engine"
	"amend/engine/check"
	"amend/engine/revise"
)

// Trace writes everything that was said in a row of a run, what was set, and how its answers are labelled.
func Trace(p *Page, run app.StoredRun, rec revise.Record, labels *app.RunLabels) error {
	p.Heading(0, fmt.Sprintf("row %d  %s", rec.Index, OneLine(rec.ID)))
	p.Wrapped(1, fmt.Sprintf("seed %d", rec.Seed))
	p.Text("\n")
	p.settings(run)
	p.Text("\n")
	p.Heading(0, "conversation")
	for _, m := range rec.Messages {
		p.Heading(1, OneLine(string(m.Role)))
		p.Wrapped(2, m.Text)
	}
	round, try, draft := 0, 0, ""
	for _, t := range rec.Turns {
		if t.Round != round || t.Try != try {
			round, try = t.Round, t.Try
			p.Text("\n")
			p.Heading(0, roundName(t))
			p.verdicts(rec, round, try, false)
		}
		p.turn(t)
		if t.Kind == revise.Critique {
			p.verdicts(rec, round, try, true)
		}
		if t.Kind == revise.Revision {
			p.changes(draft, t.Text)
		}
		if t.Gate != nil {
			p.decision(*t.Gate)
		}
		if t.IsAnswer() {
			draft = t.Text
		}
	}
	p.gated(rec)
	p.labels(rec, labels)
	if rec.Error != "" {
		p.Text("\n")
		p.Heading(0, "failed")
		p.Wrapped(1, rec.Error)
	}
	return p.err
}

// turn writes one turn: what was asked, how it went, what came.
func (p *Page) turn(t revise.Turn) {
	depth := 1
	if t.Kind == revise.Response {
		depth = 0
		p.Text("\n")
	} else {
		p.Heading(depth, string(t.Kind)+" request")
		p.Wrapped(depth+1, t.Request)
	}
	p.Heading(depth, string(t.Kind))
	p.Wrapped(depth+1, "["+turnFacts(t)+"]")
	if t.Think != "" {
		p.Heading(depth+1, "thoughts")
		p.Wrapped(depth+2, t.Think)
		p.Heading(depth+1, "answer")
	}
	p.Wrapped(depth+1, t.Text)
}

// mostCompared is the largest product of two texts' words that are compared: it takes as many numbers in memory.
const mostCompared = 4 << 20

// changes shows what a revision made of its draft, word by word, as amend constitution diff does.
func (p *Page) changes(draft, revision string) {
	switch {
	case draft == revision:
		return
	case len(strings.Fields(draft))*len(strings.Fields(revision)) > mostCompared:
		p.Heading(1, "changes")
		p.Wrapped(2, "(too long to be compared word by word)")
		return
	}
	words := constitution.DiffWords(draft, revision)
	kept, all := 0, len(strings.Fields(draft))
	for _, w := range words {
		if w.Op == constitution.Keep {
			kept += len(strings.Fields(w.Text))
		}
	}
	p.Heading(1, "changes")
	if 3*kept < all { // a comparison word by word would be confetti
		p.Wrapped(2, fmt.Sprintf("(rewritten: %d of %d words were kept)", kept, all))
		return
	}
	p.Wrapped(2, markedWords(words))
}

// turnFacts says how a turn ended, what it cost and what is wrong with it.
func turnFacts(t revise.Turn) string {
	if t.End == revise.EndGiven {
		return joinFlags("came with the prompt", t.Flags)
	}
	ended := map[engine.End]string{
		engine.EndToken: "ended by itself", engine.EndStop: "ended at a stop string", engine.EndLength: "cut at the token limit",
	}[t.End]
	if ended == "" {
		ended = "ended: " + OneLine(string(t.End))
	}
	facts := fmt.Sprintf("%s; prompt %s tokens, %s reused; %s decoded", ended, Grouped(t.Prompt), Grouped(t.Reused), Grouped(t.Decoded))
	if t.Retokenized > 0 {
		facts += fmt.Sprintf(", %s retokenized", Grouped(t.Retokenized))
	}
	return joinFlags(facts+fmt.Sprintf("; seed %d", t.Seed), t.Flags)
}

func joinFlags(facts string, flags []check.Flag) string {
	if len(flags) == 0 {
		return facts
	}
	var names []string
	for _, f := range flags {
		names = append(names, string(f))
	}
	return facts + "; flags: " + strings.Join(names, ", ")
}
