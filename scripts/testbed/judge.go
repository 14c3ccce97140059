package main

import (
	"slices"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/models/testbed"
)

// pair draws two responses to a prompt: unlike ones, or a draft and its revision.
func (a *author) pair(p testbed.Prompt) (x, y testbed.Response) {
	x = a.world.DrawResponse(a.rand, p)
	if a.chance(2) {
		y = a.world.DrawResponse(a.rand, p)
	} else {
		y = x
		for range 1 + a.rand.IntN(2) {
			q := a.principleFor(y)
			y = a.world.Revise(a.rand, p, y, a.world.Flags(q.Principle, y))
		}
	}
	if a.chance(2) {
		return y, x
	}
	return x, y
}

// said is a conversation as messages.
func said(earlier []testbed.Exchange, prompt string) []chat.Message {
	var msgs []chat.Message
	for _, e := range earlier {
		msgs = append(msgs, chat.Message{Role: chat.User, Text: e.Prompt}, chat.Message{Role: chat.Assistant, Text: e.Response})
	}
	return append(msgs, chat.Message{Role: chat.User, Text: prompt})
}

// prompt draws a conversation for a judgement; few without a temptation, over which there is little to judge.
func (a *author) prompt() (earlier []testbed.Exchange, p testbed.Prompt) {
	for range 3 {
		var t tree
		if _, p, earlier = a.conversation(&t); len(p.Tempts) > 0 {
			break
		}
	}
	return earlier, p
}

// contest draws a conversation and two responses to judge. One in three is sought where a bias of the judge decides,
// mostly that of length: left to chance such pairs are too few to learn from.
func (a *author) contest() (earlier []testbed.Exchange, p testbed.Prompt, x, y testbed.Response) {
	fault, tries := testbed.Length, 1
	if a.chance(3) {
		tries = 40
	}
	if a.chance(4) {
		fault = testbed.Position
	}
	for range tries {
		earlier, p = a.prompt()
		if x, y = a.pair(p); a.biased(fault, x, y) {
			break
		}
	}
	return earlier, p, x, y
}

// biased reports whether this bias of the judge decides between two responses under some principle.
func (a *author) biased(fault testbed.JudgeFault, x, y testbed.Response) bool {
	return slices.ContainsFunc(a.world.Principles(), func(p testbed.Principle) bool {
		return a.world.Judges(p, x, y).Fault == fault
	})
}

// answer is the judge's. Where it sees no difference either answer is as likely.
func (a *author) answer(q asked, x, y testbed.Response) string {
	c := a.world.Judges(q.Principle, x, y).Choice
	if c == testbed.Neither {
		c = []testbed.Choice{testbed.A, testbed.B}[a.rand.IntN(2)]
	}
	return c.Answer()
}

// judge writes judgements of one pair under several principles, and verdicts on either response: what a judgement is
// made of, which a model learns sooner.
func (a *author) judge() tree {
	var t tree
	earlier, p, x, y := a.contest()
	at := t.user(root, feedback.Options(said(earlier, p.Text), x.Text, y.Text))
	ask := func(question, answer string) {
		t.learn(t.add(at, more, feedback.OptionsFirst.Join("", question)), answer)
	}
	for range 5 {
		q := a.judged(x, y)
		ask(testbed.JudgeQuestion(q.text), a.answer(q, x, y))
	}
	for range 2 {
		q := a.judged(x, y)
		ask(testbed.OptionVerdictRequest(testbed.A, q.text), a.verdict(q, x))
		ask(testbed.OptionVerdictRequest(testbed.B, q.text), a.verdict(q, y))
	}
	q := a.judged(x, y)
	ask(testbed.JudgeQuestion(q.text)+feedback.ThinkFirst, a.world.Reasons(q.Principle, x, y)+feedback.AnswerStem+" "+a.answer(q, x, y)+".")
	return t
}

// verdict is what the critic says of a response in a word.
func (a *author) verdict(q asked, r testbed.Response) string {
	if len(a.world.Flags(q.Principle, r)) > 0 {
		return feedback.SaidBreach
	}
	return feedback.SaidClean
}

// judged draws a principle under which the judge prefers one of the two, mostly.
func (a *author) judged(x, y testbed.Response) asked {
	for range 3 {
		q := a.principleFor(x)
		if a.world.Judges(q.Principle, x, y).Choice != testbed.Neither {
			return q
		}
	}
	return a.principleFor(y)
}

// principleFirst writes judgements in the paper's layout.
func (a *author) principleFirst() tree {
	var t tree
	for range 3 {
		earlier, p, x, y := a.contest()
		q := a.judged(x, y)
		question, end := testbed.JudgeQuestion(q.text), a.answer(q, x, y)
		switch a.rand.IntN(6) {
		case 0:
			question += feedback.ThinkFirst
			end = a.world.Reasons(q.Principle, x, y) + feedback.AnswerStem + " " + end + "."
		case 1:
			question, end = testbed.OptionVerdictRequest(testbed.A, q.text), a.verdict(q, x)
		case 2:
			question, end = testbed.OptionVerdictRequest(testbed.B, q.text), a.verdict(q, y)
		}
		t.learn(t.user(root, feedback.PrincipleFirst.Join(feedback.Options(said(earlier, p.Text), x.Text, y.Text), question)), end)
	}
	return t
}

// judgeGroup writes judgements behind worked ones: those that the constitution shows, or others.
func (a *author) judgeGroup() group {
	shots := a.doc.Shown()
	if a.chance(2) {
		shots = nil
		for range 1 + a.rand.IntN(3) {
			shots = append(shots, a.shot())
		}
	}
	layout, write := feedback.OptionsFirst, a.judge
	if a.chance(3) {
		layout, write = feedback.PrincipleFirst, a.principleFirst
	}
	var t tree
	reasoned, at := a.chance(3), root
	for _, s := range shots {
		options := feedback.Options(said(nil, s.Prompt), s.A, s.B)
		question, answer := s.JudgeInstruction, testbed.A.Answer()
		if s.Better == constitution.SideB {
			answer = testbed.B.Answer()
		}
		if reasoned {
			question, answer = question+feedback.ThinkFirst, s.Reasons+feedback.AnswerStem+" "+answer+"."
		}
		at = t.given(t.user(at, layout.Join(options, question)), answer)
	}
	g := group{Preamble: t.Nodes}
	for range groupTrees {
		g.Trees = append(g.Trees, write())
	}
	return g
}

// shot works a judgement out.
func (a *author) shot() constitution.Judgement {
	_, p, x, y := a.contest()
	q := a.judged(x, y)
	s := constitution.Judgement{
		Prompt: p.Text, A: x.Text, B: y.Text, Better: constitution.SideA,
		JudgeInstruction: testbed.JudgeQuestion(q.text), Reasons: a.world.Reasons(q.Principle, x, y),
	}
	if a.answer(q, x, y) == testbed.B.Answer() {
		s.Better = constitution.SideB
	}
	return s
}

// redTeam writes prompts that tempt to break a rule.
func (a *author) redTeam() tree {
	var t tree
	rules := a.rand.Perm(len(a.world.Rules()))
	for _, rule := range rules[:4] {
		statements := a.world.Rules()[rule].Statements
		tempts := []int{rule}
		if a.chance(3) {
			tempts = append(tempts, rules[4])
		}
		p := a.world.DrawPromptFor(a.rand, false, tempts...)
		t.learn(t.user(root, testbed.RedTeamRequest(statements[a.rand.IntN(len(statements))])), p.Text)
	}
	return t
}

// propose states a rule from examples of its breach.
func (a *author) propose() tree {
	var t tree
	rules := a.rand.Perm(len(a.world.Rules()))
	rule := rules[0]
	var examples []testbed.Exchange
	for i := range 2 + a.rand.IntN(3) {
		tempts := []int{rule}
		if a.chance(3) {
			tempts = append(tempts, rules[1+i])
		}
		p := a.world.DrawPromptFor(a.rand, false, tempts...)
		r := a.world.DrawResponseWith(a.rand, p, func(broken int) bool { return broken == rule || a.chance(2) })
		examples = append(examples, testbed.Exchange{Prompt: p.Text, Response: r.Text})
	}
	statements := a.world.Rules()[rule].Statements
	t.learn(t.user(root, testbed.RuleRequest(examples)), statements[a.rand.IntN(len(statements))])
	return t
}
