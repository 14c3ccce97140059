package main

import "amend/models/testbed"

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
	earlier, p := a.prompt()
	x, y := a.pair(p)
	at := t.user(root, testbed.Pair(earlier, p.Text, x.Text, y.Text))
	ask := func(question, answer string) { t.learn(t.add(at, more, testbed.OptionsFirst("", question)), answer) }
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
	ask(testbed.JudgeQuestion(q.text)+testbed.ThinkFirst, a.world.Reasons(q.Principle, x, y)+a.answer(q, x, y)+".")
	return t
}

// verdict is what the critic says of a response in a word.
func (a *author) verdict(q asked, r testbed.Response) string {
	return testbed.Verdict(len(a.world.Flags(q.Principle, r)) > 0)
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
		earlier, p := a.prompt()
		x, y := a.pair(p)
		q := a.judged(x, y)
		question, end := testbed.JudgeQuestion(q.text), a.answer(q, x, y)
		switch a.rand.IntN(6) {
		case 0:
			question += testbed.ThinkFirst
			end = a.world.Reasons(q.Principle, x, y) + end + "."
		case 1:
			question, end = testbed.OptionVerdictRequest(testbed.A, q.text), a.verdict(q, x)
		case 2:
			question, end = testbed.OptionVerdictRequest(testbed.B, q.text), a.verdict(q, y)
		}
		t.learn(t.user(root, testbed.PrincipleFirst(testbed.Pair(earlier, p.Text, x.Text, y.Text), question)), end)
	}
	return t
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
