package feedback

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/enginetest"
	"amend/engine/sample"
)

const testDocument = `
name: test
prompts: {judge_instruction: "Which is better? {text}"}
principles:
  - {id: kind, text: Be kind., critique_request: "Is it kind?", revision_request: Make it kind.}
  - {id: frank, text: Be frank., critique_request: "Is it frank?", revision_request: Make it frank.}
  - {id: brief, text: Be brief., critique_request: "Is it brief?", revision_request: Make it brief.}
judgements:
  - {prompt: p, principle: kind, a: x, b: y, better: b, reasons: It is so.}
`

// fakeJudge is a judge over the fake model, and what it judges with.
type fakeJudge struct {
	model *enginetest.Model
	judge *Judge
	e     *engine.Engine
	doc   *constitution.Document
	f     *chat.Formatter
}

func newFakeJudge(t *testing.T, document string, s Settings, sequences int) *fakeJudge {
	t.Helper()
	doc, err := constitution.Parse("test.yaml", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	m := enginetest.New(engine.Limits{Sequences: sequences, Context: 900, Cells: 900 * sequences, Batch: 64})
	m.EndBias = 2
	c := &fakeJudge{model: m, doc: doc}
	if c.e, err = engine.New(m, m, engine.Config{Verify: true}); err != nil {
		t.Fatal(err)
	}
	if c.f, err = chat.NewFormatter(t.Context(), chat.Plain{}, enginetest.Letters{Model: m}); err != nil {
		t.Fatal(err)
	}
	if c.judge, err = New(t.Context(), c.f, doc, s); err != nil {
		t.Fatal(err)
	}
	return c
}

func pairs(n int) []Pair {
	var out []Pair
	for i := range n {
		out = append(out, Pair{
			ID: fmt.Sprint("pair", i), Index: i, Messages: []chat.Message{{Role: chat.User, Text: strings.Repeat("q", 1+i%4) + fmt.Sprint(i)}},
			First: fmt.Sprint("one ", i), Second: fmt.Sprint("other ", i, strings.Repeat("!", i%3)),
		})
	}
	return out
}

// run judges pairs and returns the labels by id.
func (c *fakeJudge) run(t *testing.T, in []Pair, parallel int) map[string]Label {
	t.Helper()
	if err := c.e.Pin(t.Context(), c.judge.Prefix()); err != nil {
		t.Fatal(err)
	}
	out := map[string]Label{}
	if err := c.judge.Run(t.Context(), c.e, parallel, from(in), func(l Label) error { out[l.ID] = l; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func from(in []Pair) func() (Pair, bool) {
	i := 0
	return func() (Pair, bool) {
		if i == len(in) {
			return Pair{}, false
		}
		i++
		return in[i-1], true
	}
}

var plain = Settings{Layout: OptionsFirst, Principles: 2, Seed: 3}

// said is the fake model's own log-probability of a continuation, computed from nothing.
func (c *fakeJudge) said(prompt []engine.Token, text string) float64 {
	ids, _ := enginetest.Letters{Model: c.model}.Tokenize(text, false, false)
	sum := 0.0
	for i, id := range ids {
		sum += c.model.LogProb(slices.Concat(prompt, ids[:i]), id)
	}
	return sum
}

// TestJudgementsAreLogProbs: what a label holds is what the model says of "(A" and "(B", with and without the space that a
// plain transcript has, behind a prompt written by hand; in both orders, averaged.
func TestJudgementsAreLogProbs(t *testing.T) {
	for _, layout := range []PromptOrder{OptionsFirst, PrincipleFirst} {
		s := plain
		s.Layout = layout
		c := newFakeJudge(t, testDocument, s, 6)
		labels := c.run(t, pairs(5), 4)
		for _, in := range pairs(5) {
			label := labels[in.ID]
			if label.P == nil || len(label.Judgements) != 4 || label.Pair != in.Hash() {
				t.Fatalf("%s: %+v", layout, label)
			}
			mean := 0.0
			for i, j := range label.Judgements {
				a, b := in.First, in.Second
				if j.Swapped {
					a, b = b, a
				}
				if j.Swapped != (i%2 == 1) {
					t.Errorf("judgement %d is of the other order", i)
				}
				principle, _ := c.doc.Principle(j.Principle)
				options := "User: " + in.Messages[0].Text + "\n\n(A) " + a + "\n\n(B) " + b
				question := "Which is better? " + principle.Text
				body := options + "\n\n" + question
				shot := "User: p\n\n(A) x\n\n(B) y\n\nWhich is better? Be kind."
				if layout == PrincipleFirst {
					body = question + "\n\n" + options
					shot = "Which is better? Be kind.\n\nUser: p\n\n(A) x\n\n(B) y"
				}
				ids, _ := enginetest.Letters{Model: c.model}.Tokenize("\n\nHuman: "+shot+"\n\nAssistant: (B)\n\nHuman: "+body+"\n\nAssistant:", false, false)
				var want [2]float64
				for k, answer := range []string{"(A", "(B"} {
					want[k] = math.Log(math.Exp(c.said(ids, answer)) + math.Exp(c.said(ids, " "+answer)))
				}
				for k := range want {
					if math.Abs(want[k]-j.LogProbs[k]) > 1e-6 {
						t.Fatalf("%s, %s, swapped %v: log-probs %v, want %v", layout, j.Principle, j.Swapped, j.LogProbs, want)
					}
				}
				ofA := math.Exp(want[0]) / (math.Exp(want[0]) + math.Exp(want[1]))
				if j.Swapped {
					ofA = 1 - ofA
				}
				if math.Abs(j.P-ofA) > 1e-6 || math.Abs(j.Mass-math.Exp(want[0])-math.Exp(want[1])) > 1e-6 {
					t.Errorf("%+v: p should be %g", j, ofA)
				}
				mean += ofA / 4
			}
			if math.Abs(mean-*label.P) > 1e-6 {
				t.Errorf("p is %g, the mean of the judgements %g", *label.P, mean)
			}
		}
	}
}

// TestAlone: under a principle that forbids something a response is asked about by itself, behind worked answers on both responses
// of each shown judgement, and the pair's probability compares the log-odds of yes. Under others both are asked about, behind
// nothing.
func TestAlone(t *testing.T) {
	document := strings.Replace(testDocument, `"Which is better? {text}"}`, `"Which is better? {text}", verdict_request: "Does it keep to this? {text}"}`, 1)
	document = strings.Replace(document, "{id: frank,", "{id: frank, framing: negative,", 1)
	document = strings.Replace(document, "{id: brief,", "{id: brief, framing: negative,", 1)
	s := plain
	s.Layout, s.Principles = ByPrinciple, 3
	c := newFakeJudge(t, document, s, 6)
	labels := c.run(t, pairs(5), 4)
	for _, in := range pairs(5) {
		label := labels[in.ID]
		if label.P == nil || len(label.Judgements) != 6 {
			t.Fatalf("%+v", label)
		}
		mean := 0.0
		for i := 0; i < 6; i += 2 {
			principle, _ := c.doc.Principle(label.Judgements[i].Principle)
			if principle.ID == "kind" {
				mean += c.together(t, in, label.Judgements[i:i+2]) / 3
				continue
			}
			var odds [2]float64
			for k, response := range []string{in.First, in.Second} {
				shot := func(response, answer string) string {
					return "\n\nHuman: User: p\n\nAssistant: " + response + "\n\nDoes it keep to this? Be kind.\n\nAssistant: " + answer
				}
				ids, _ := enginetest.Letters{Model: c.model}.Tokenize(shot("x", "no")+shot("y", "yes")+
					"\n\nHuman: User: "+in.Messages[0].Text+"\n\nAssistant: "+response+"\n\nDoes it keep to this? "+principle.Text+"\n\nAssistant:", false, false)
				var want [2]float64
				// The space and n are one letter to the fake model: "no" without a space would begin " yes", and is no spelling.
				for a, answers := range [][]string{{" y", " Y", "Y"}, {" n", " N", "N"}} {
					sum := 0.0
					for _, answer := range answers {
						sum += math.Exp(c.said(ids, answer))
					}
					want[a] = math.Log(sum)
				}
				j := label.Judgements[i+k]
				if math.Abs(want[0]-j.LogProbs[0]) > 1e-6 || math.Abs(want[1]-j.LogProbs[1]) > 1e-6 || !j.Alone || j.Swapped != (k == 1) {
					t.Fatalf("%s of %s: %+v, want log-probs %v", j.Principle, response, j, want)
				}
				odds[k] = want[0] - want[1]
			}
			p := 1 / (1 + math.Exp(odds[1]-odds[0]))
			if given, swapped := label.Judgements[i], label.Judgements[i+1]; math.Abs(given.P-p) > 1e-6 || given.P != swapped.P {
				t.Errorf("%+v and %+v: p should be %g", given, swapped, p)
			}
			mean += p / 3
		}
		if math.Abs(mean-*label.P) > 1e-6 {
			t.Errorf("p is %g, want %g", *label.P, mean)
		}
	}
	if r := NewReport(pairs(5), slices.Collect(maps.Values(labels)), better); r.Flips.Of != 5 || r.PrefersA.Of != 10 {
		t.Errorf("places of responses that have none: %+v", r)
	}
}

// together checks what is asked of two responses, without worked judgements, and returns the probability of the first.
func (c *fakeJudge) together(t *testing.T, in Pair, got []Judgement) (mean float64) {
	t.Helper()
	for k, j := range got {
		a, b := in.First, in.Second
		if k == 1 {
			a, b = b, a
		}
		ids, _ := enginetest.Letters{Model: c.model}.Tokenize("\n\nHuman: User: "+in.Messages[0].Text+"\n\n(A) "+a+"\n\n(B) "+b+"\n\nWhich is better? Be kind.\n\nAssistant:", false, false)
		var want [2]float64
		for i, answer := range []string{"(A", "(B"} {
			want[i] = math.Log(math.Exp(c.said(ids, answer)) + math.Exp(c.said(ids, " "+answer)))
		}
		if j.Alone || j.Swapped != (k == 1) || math.Abs(want[0]-j.LogProbs[0]) > 1e-6 || math.Abs(want[1]-j.LogProbs[1]) > 1e-6 {
			t.Errorf("%+v, want log-probs %v", j, want)
		}
		mean += j.P / 2
	}
	return mean
}

// TestLayoutFor: responses are judged by principle where there is a verdict request, and no reasons are asked for.
func TestLayoutFor(t *testing.T) {
	of := func(requests ...string) *constitution.Document {
		var doc constitution.Document
		for _, r := range requests {
			doc.Principles = append(doc.Principles, constitution.Principle{VerdictRequest: r})
		}
		return &doc
	}
	for _, c := range []struct {
		doc        *constitution.Document
		reasonings int
		want       PromptOrder
	}{{of("?", "?"), 0, ByPrinciple}, {of("?", "?"), 1, OptionsFirst}, {of("", "?"), 0, ByPrinciple}, {of(""), 0, OptionsFirst}} {
		if got := LayoutFor(c.doc, c.reasonings); got != c.want {
			t.Errorf("%+v, %d reasonings: %s, want %s", c.doc.Principles, c.reasonings, got, c.want)
		}
	}
	s := reasoning
	s.Layout = ByPrinciple
	c := newFakeJudge(t, testDocument, plain, 4)
	if _, err := New(t.Context(), c.f, c.doc, s); err == nil {
		t.Error("reasonings about one response were accepted")
	}
}

// TestTogetherAsAlone: labels do not depend on what is judged beside them, with reasonings and without.
func TestTogetherAsAlone(t *testing.T) {
	for _, s := range []Settings{plain, reasoning} {
		together := newFakeJudge(t, testDocument, s, 7).run(t, pairs(11), 6)
		if len(together) != 11 {
			t.Fatalf("%d labels of 11 pairs", len(together))
		}
		for _, in := range pairs(11) {
			alone := newFakeJudge(t, testDocument, s, 3).run(t, []Pair{in}, 1)[in.ID]
			if !reflect.DeepEqual(alone, together[in.ID]) {
				t.Errorf("alone\n%+v\ntogether\n%+v", alone, together[in.ID])
			}
		}
	}
}

var reasoning = Settings{
	Layout: OptionsFirst, Principles: 1, Seed: 5, Reasonings: 3, Clamp: [2]float64{0.4, 0.6}, MaxTokens: 9,
	Sampling: sample.Params{Temperature: 1},
}

// TestReasonings: each is drawn by itself, the answer is scored behind it and its stem, clamped, and the judgement is their mean.
func TestReasonings(t *testing.T) {
	c := newFakeJudge(t, testDocument, reasoning, 6)
	clamped := false
	for _, label := range c.run(t, pairs(6), 4) {
		for _, j := range label.Judgements {
			if len(j.Reasonings) != 3 {
				t.Fatalf("%d reasonings, want 3", len(j.Reasonings))
			}
			mean, texts := 0.0, map[string]bool{}
			for _, r := range j.Reasonings {
				p := 1 / (1 + math.Exp(r.LogProbs[1]-r.LogProbs[0]))
				if j.Swapped {
					p = 1 - p
				}
				clamped = clamped || p < 0.4 || p > 0.6
				if want := min(max(p, 0.4), 0.6); math.Abs(r.P-want) > 1e-9 {
					t.Errorf("p is %g, want %g", r.P, want)
				}
				mean += r.P / 3
				texts[r.Text] = true
			}
			if math.Abs(j.P-mean) > 1e-9 {
				t.Errorf("p is %g, the mean of the reasonings %g", j.P, mean)
			}
			if len(texts) == 1 {
				t.Errorf("three times the same reasoning: %v", texts)
			}
		}
	}
	if !clamped {
		t.Error("nothing was clamped: the test shows nothing")
	}
}

// book is a Memory that can fail.
type book struct {
	answers map[Key]Answer
	asked   int // answers that were kept
	failAt  int
}

func (b *book) Get(k Key) (Answer, bool, error) { a, ok := b.answers[k]; return a, ok, nil }

func (b *book) Put(k Key, a Answer) error {
	if _, twice := b.answers[k]; twice {
		return fmt.Errorf("an answer was computed twice")
	}
	if b.asked++; b.asked == b.failAt {
		return errors.New("no space left")
	}
	b.answers[k] = a
	return nil
}

// TestGoesOnWhereItStopped: whenever a run is killed, the next one gives the labels of one that was left alone, and
// computes no answer again.
func TestGoesOnWhereItStopped(t *testing.T) {
	for _, s := range []Settings{plain, reasoning} {
		want := newFakeJudge(t, testDocument, s, 6).run(t, pairs(5), 4)
		for failAt := 1; failAt <= 20; failAt += 3 {
			b := &book{answers: map[Key]Answer{}, failAt: failAt}
			c := newFakeJudge(t, testDocument, s, 6)
			c.judge.Use(b, "here")
			err := c.judge.Run(t.Context(), c.e, 4, from(pairs(5)), func(Label) error { return nil })
			if err == nil || !strings.Contains(err.Error(), "no space left") {
				t.Fatalf("the run ended with %v", err)
			}
			again := newFakeJudge(t, testDocument, s, 6)
			again.judge.Use(b, "here")
			if got := again.run(t, pairs(5), 4); !reflect.DeepEqual(got, want) {
				t.Errorf("killed at answer %d:\n%+v\nwant\n%+v", failAt, got, want)
			}
		}
	}
}

// TestAnEditCostsWhatItReaches: with one principle edited, only the judgements under it are asked for.
func TestAnEditCostsWhatItReaches(t *testing.T) {
	b := &book{answers: map[Key]Answer{}}
	c := newFakeJudge(t, testDocument, plain, 6)
	c.judge.Use(b, "here")
	before := c.run(t, pairs(20), 4)
	if b.asked != 20*4 {
		t.Fatalf("%d answers of 20 pairs under 2 principles in 2 orders", b.asked)
	}
	b.asked = 0
	edited := newFakeJudge(t, strings.Replace(testDocument, "Be frank.", "Be quite frank.", 1), plain, 6)
	edited.judge.Use(b, "here")
	after, reached := edited.run(t, pairs(20), 4), 0
	for id, l := range after {
		for i, j := range l.Judgements {
			if j.Principle != before[id].Judgements[i].Principle {
				t.Errorf("%s is judged under other principles now", id)
			}
			if j.Principle == "frank" {
				reached++
			} else if !reflect.DeepEqual(j, before[id].Judgements[i]) {
				t.Errorf("%s under %s changed", id, j.Principle)
			}
		}
	}
	if b.asked != reached || reached == 0 || reached == 80 {
		t.Errorf("%d answers were computed, and %d judgements are under the edited principle", b.asked, reached)
	}
}

// TestUnlikelyAnswersAreInvalid: no label stands on a judgement in which the model would have said something else.
func TestUnlikelyAnswersAreInvalid(t *testing.T) {
	s := plain
	s.MinMass = 0.9 // the fake model never says (A) or (B) so surely
	for _, l := range newFakeJudge(t, testDocument, s, 6).run(t, pairs(4), 4) {
		if l.P != nil {
			t.Errorf("a label of invalid judgements: %+v", l)
		}
		for _, j := range l.Judgements {
			if !j.Invalid {
				t.Errorf("%+v is taken for valid", j)
			}
		}
	}
}

// TestOnePairFailsAlone: a pair too long for the context says so, the others are labelled.
func TestOnePairFailsAlone(t *testing.T) {
	in := pairs(4)
	in[2].First = strings.Repeat("long ", 400)
	got := newFakeJudge(t, testDocument, plain, 6).run(t, in, 4)
	for _, p := range in {
		l := got[p.ID]
		if failed := l.Error != ""; failed != (p.ID == in[2].ID) {
			t.Errorf("%s: %+v", p.ID, l)
		}
	}
	if l := got[in[2].ID]; !strings.Contains(l.Error, "900") || l.Judgements != nil || l.P != nil {
		t.Errorf("the long pair: %+v", l)
	}
}

// TestEndsWithWhatIsUnderWay: when the context ends, answers under way are kept, and nothing new is asked.
func TestEndsWithWhatIsUnderWay(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &book{answers: map[Key]Answer{}}
	c := newFakeJudge(t, testDocument, plain, 6)
	c.judge.Use(b, "here")
	labels := 0
	err := c.judge.Run(ctx, c.e, 4, from(pairs(30)), func(Label) error {
		if labels++; labels == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || labels > 5 || b.asked < 4*3 || b.asked > 4*3+8 {
		t.Errorf("%v after %d labels and %d answers", err, labels, b.asked)
	}
}

// TestNoInstruction: a constitution that does not say how to judge is refused, by the principle's name.
func TestNoInstruction(t *testing.T) {
	doc, err := constitution.Parse("test.yaml", []byte("name: test\nprinciples: [{id: kind, text: Be kind., critique_request: a, revision_request: b}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := newFakeJudge(t, testDocument, plain, 3)
	if _, err := New(t.Context(), c.f, doc, plain); err == nil || !strings.Contains(err.Error(), "kind") {
		t.Errorf("%v", err)
	}
}
