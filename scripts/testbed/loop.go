package main

import (
	"math/rand/v2"
	"strings"

	"amend/constitution"
	"amend/engine/feedback"
	"amend/models/testbed"
)

// author writes training texts. It never uses wordings or fillers that are held out.
type author struct {
	world *testbed.World
	doc   *constitution.Document
	rand  *rand.Rand
}

// asked is a principle with the words in which the model is asked for it.
type asked struct {
	testbed.Principle
	text, critique, revision string
}

// chance is true in one of n cases.
func (a *author) chance(n int) bool { return a.rand.IntN(n) == 0 }

// principle draws one, mostly broad.
func (a *author) principle() asked {
	all := a.world.Principles()
	broad := 0
	for all[broad].Broad {
		broad++
	}
	p := all[a.rand.IntN(broad)]
	if a.chance(3) {
		p = all[broad+a.rand.IntN(len(all)-broad)]
	}
	return a.ask(p)
}

// principleFor draws one that covers a rule which the response breaks, where there is one.
func (a *author) principleFor(r testbed.Response) asked {
	for range 3 {
		p := a.principle()
		for _, rule := range r.Broken() {
			if p.CoversRule(rule) {
				return p
			}
		}
	}
	return a.principle()
}

func (a *author) ask(p testbed.Principle) asked {
	own, _ := a.doc.Principle(p.ID) // a test compares the two lists
	out := asked{p, own.Text, own.CritiqueRequest, own.RevisionRequest}
	if p.Broad || !a.chance(4) {
		return out
	}
	statements := a.world.Rules()[p.Covers[0]].Statements
	out.text = statements[a.rand.IntN(len(statements))]
	out.critique = strings.Replace(own.CritiqueRequest, own.Text, out.text, 1)
	out.revision = strings.Replace(own.RevisionRequest, own.Text, out.text, 1)
	return out
}

// laterTurnOneIn of the prompts are the later turn of a conversation.
const laterTurnOneIn = 6

// conversation opens a tree with a prompt, sometimes behind an earlier exchange.
func (a *author) conversation(t *tree) (at int, p testbed.Prompt, earlier []testbed.Exchange) {
	p = a.world.DrawPrompt(a.rand, false)
	if !a.chance(laterTurnOneIn) {
		return t.user(root, p.Text), p, nil
	}
	first := a.world.DrawPrompt(a.rand, false)
	reply := a.world.DrawResponseWith(a.rand, first, func(int) bool { return a.chance(5) })
	p = a.world.Thank(a.rand, p)
	at = t.given(t.user(root, first.Text), reply.Text)
	return t.user(at, p.Text), p, []testbed.Exchange{{Prompt: first.Text, Response: reply.Text}}
}

// loop writes a conversation with critiques and revisions of its response.
func (a *author) loop() tree {
	var t tree
	at, p, _ := a.conversation(&t)
	r := a.world.DrawResponse(a.rand, p)
	var draft int
	if a.chance(3) {
		for range 1 + a.rand.IntN(3) { // a draft of a later round
			q := a.principle()
			r = a.world.Revise(a.rand, p, r, a.world.Flags(q.Principle, r))
		}
		draft = t.given(at, r.Text)
	} else {
		draft = t.learn(at, r.Text)
	}
	for range 2 {
		a.round(&t, draft, p, r, a.principleFor(r), 1)
	}
	for range 4 {
		q := a.principleFor(r)
		t.learn(t.user(draft, feedback.VerdictRequest(q.text)), a.verdict(q, r))
	}
	if a.chance(2) {
		q := a.principleFor(r)
		t.learn(t.user(draft, q.revision), a.world.Revise(a.rand, p, r, a.world.Flags(q.Principle, r)).Text)
	}
	return t
}

// answered writes first responses to several prompts.
func (a *author) answered() tree {
	var t tree
	for range 4 {
		at, p, _ := a.conversation(&t)
		t.learn(at, a.world.DrawResponse(a.rand, p).Text)
	}
	return t
}

// appended writes four rounds one below the other, as append mode does.
func (a *author) appended() tree {
	var t tree
	at, p, _ := a.conversation(&t)
	r := a.world.DrawResponse(a.rand, p)
	a.round(&t, t.learn(at, r.Text), p, r, a.principle(), 4)
	return t
}

// round writes a critique and a revision below a draft, and further rounds below that.
func (a *author) round(t *tree, draft int, p testbed.Prompt, r testbed.Response, q asked, rounds int) {
	flags := a.world.Flags(q.Principle, r)
	critique := t.learn(t.user(draft, q.critique), a.world.WriteCritique(q.Principle, r, flags))
	revised := a.world.Revise(a.rand, p, r, flags)
	revision := t.learn(t.user(critique, q.revision), revised.Text)
	if rounds > 1 {
		a.round(t, revision, p, revised, a.principle(), rounds-1)
	}
}

// instructed writes a first response under a system text that states principles.
func (a *author) instructed() tree {
	var t tree
	for range 3 {
		var texts []string
		covered := map[int]bool{}
		for range 1 + a.rand.IntN(3) {
			q := a.principle()
			texts = append(texts, q.text)
			for _, rule := range q.Covers {
				covered[rule] = true
			}
		}
		p := a.world.DrawPrompt(a.rand, false)
		r := a.world.DrawResponseWith(a.rand, p, func(rule int) bool {
			if covered[rule] {
				return a.chance(8)
			}
			return a.rand.IntN(10) < 6
		})
		t.learn(t.user(t.add(root, "system", testbed.Instructions(texts)), p.Text), r.Text)
	}
	return t
}
