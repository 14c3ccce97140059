package llamatest

import (
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"amend/cmd/amend/internal/runner"
	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/llama"
	"amend/engine/oracle"
	"amend/engine/prompts"
	"amend/engine/revise"
	"amend/engine/sample"
	"amend/engine/stats"
	"amend/models/testbed"
)

var (
	testbedLong   = flag.Bool("testbed.figures", false, "measure all figures of the testbed model, not only whether it is sound")
	testbedRows   = flag.Int("testbed.rows", 200, "held-out prompts to measure the testbed model on")
	testbedSeed   = flag.Uint64("testbed.seed", 1, "of the responses and draws that the gate is measured on")
	testbedUpdate = flag.Bool("testbed.update", false, "write the figures that are measured, in place of comparing them")
	testbedModel  = flag.String("testbed.model", testbed.Name, "another model file to measure, without comparing")
)

// testbedDir is where what belongs to the testbed model lies.
var testbedDir = filepath.Join("..", "..", "..", "..", "models", "testbed", "testdata")

// figures are what the oracle measures of the testbed model on held-out prompts, committed beside it.
type figures struct {
	Rows        int              `json:"rows"`
	InGrammar   stats.Share      `json:"in_grammar"`  // first responses, at temperature 1
	Violating   []stats.Share    `json:"violating"`   // rows that break a rule, by round, at temperature 1 under broad principles
	KeptFacts   []stats.Share    `json:"kept_facts"`  // of the first responses' facts, by round
	Temperature loopFigures      `json:"temperature"` // the first round, at temperature 1
	Greedy      loopFigures      `json:"greedy"`      // the same responses criticised and revised at temperature 0
	Verdicts    verdictFigures   `json:"verdicts"`    // clean or breach, by log-probs
	Judgements  judgementFigures `json:"judgements"`  // by log-probs, options first
	Principle   judgementFigures `json:"principle_first"`
}

type loopFigures struct {
	oracle.Critiques
	oracle.Revisions
}

type verdictFigures struct {
	Precision stats.Share `json:"precision"`
	Recall    stats.Share `json:"recall"`
}

type judgementFigures struct {
	Mass     float64     `json:"mass"`      // probability on the two answers together, in the mean
	OneOrder stats.Share `json:"one_order"` // right, of pairs whose breaches differ in number
	Both     stats.Share `json:"both"`      // right with both orders averaged
	Flipped  stats.Share `json:"flipped"`   // another answer in the other order
	Sound    stats.Share `json:"sound"`     // right where no fault is planted
	Position stats.Share `json:"position"`  // (A) where that fault is planted
	Length   stats.Share `json:"length"`    // the one with more points where that fault is planted
	Sight    stats.Share `json:"sight"`     // right where the judge's critic is not
}

// TestTestbedFigures measures the testbed model with the oracle and compares what comes out with the committed
// figures, within the intervals of either.
//
//	scripts/go test ./cmd/amend/internal/llamatest -run TestbedFigures -args -testbed.figures -testbed.rows 2000 -testbed.update
func TestTestbedFigures(t *testing.T) {
	if !*testbedLong {
		t.Skip("computes for minutes; -testbed.figures asks for it")
	}
	b := openBed(t)
	got := b.measure(t, *testbedRows)
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
	path := filepath.Join(testbedDir, "figures.json")
	if *testbedModel != testbed.Name {
		return
	}
	if *testbedUpdate {
		if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	compareFigures(t, got, committedFigures(t))
	for i, v := range got.Violating[1:] {
		if v.Count >= got.Violating[i].Count {
			t.Errorf("round %d: %d rows break a rule, %d before it", i+1, v.Count, got.Violating[i].Count)
		}
	}
	if first, last := got.Violating[0].Count, got.Violating[4].Count; 5*last >= first {
		t.Errorf("%d rows break a rule in the end, %d in the beginning: not under a fifth", last, first)
	}
}

// committedFigures are those that lie beside the testbed model.
func committedFigures(t *testing.T) (f figures) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(testbedDir, "figures.json"))
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestTestbedIsSound: on a few rows, what the committed figures say of the loop holds, as far as so few can tell.
func TestTestbedIsSound(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for several seconds")
	}
	const few = 40
	b, want := openBed(t), committedFigures(t)
	got := b.judged(t, b.loop(t, b.rows[:few], rounds, 1)).Rounds
	for _, c := range []struct {
		what      string
		got, want stats.Share
	}{
		{"in the grammar", got[0].InGrammar, want.InGrammar},
		{"first responses that break a rule", got[0].Violating, want.Violating[0]},
		{"last revisions that break a rule", got[rounds].Violating, want.Violating[rounds]},
		{"facts that the last revisions keep", got[rounds].KeptFacts, want.KeptFacts[rounds]},
	} {
		expected := stats.NewShare(int(math.Round(c.want.Share*float64(c.got.Of))), c.got.Of)
		expected.Share = c.want.Share
		if beyond(c.got, expected) {
			t.Errorf("%s: %s, committed %s", c.what, percent(c.got), percent(c.want))
		}
	}
}

// testbedRun is the testbed model with its world and held-out prompts.
type testbedRun struct {
	*exactRun
	format *chat.Formatter
	truth  *testbed.World
	doc    *constitution.Document
	rows   []revise.Row
}

func openBed(t *testing.T) *testbedRun {
	t.Helper()
	m := openModel(t, *testbedModel)
	doc, err := constitution.Load(testbed.Name)
	if err != nil {
		t.Fatal(err)
	}
	set, err := prompts.Read(prompts.Paths{filepath.Join(testbedDir, "heldout.jsonl")}, nil, prompts.Options{Limit: *testbedRows})
	if err != nil {
		t.Fatal(err)
	}
	return &testbedRun{&exactRun{model: m}, m.Format(), testbed.New(), doc, set.Rows}
}

// loop runs rows under the broad principles.
func (b *testbedRun) loop(t *testing.T, rows []revise.Row, rounds int, temperature float64) []revise.Record {
	t.Helper()
	var err error
	b.exactRun.loop, err = revise.New(t.Context(), b.format, b.doc, revise.Settings{
		Rounds: rounds, Mode: revise.Faithful, MaxTokens: 256, Seed: 1, Sampling: sample.Params{Temperature: temperature},
	})
	if err != nil {
		t.Fatal(err)
	}
	byID := b.run(t, rows, 16, running{attach: true})
	var out []revise.Record
	for _, r := range rows {
		out = append(out, byID[r.ID])
	}
	return out
}

// judged is what the oracle says of records.
func (b *testbedRun) judged(t *testing.T, records []revise.Record) oracle.Outcome {
	t.Helper()
	rounds := 0
	for _, r := range records {
		for _, turn := range r.Turns {
			rounds = max(rounds, turn.Round)
		}
	}
	out, err := oracle.Of(b.truth, rounds, func(yield func(revise.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.Foreign+out.Failed > 0 {
		t.Fatalf("%d foreign rows, %d failed", out.Foreign, out.Failed)
	}
	return out
}

func (b *testbedRun) measure(t *testing.T, n int) figures {
	t.Helper()
	f := figures{Rows: n}
	records := b.loop(t, b.rows, 4, 1)
	out := b.judged(t, records)
	f.InGrammar = out.Rounds[0].InGrammar
	for _, r := range out.Rounds {
		f.Violating = append(f.Violating, r.Violating)
		f.KeptFacts = append(f.KeptFacts, r.KeptFacts)
	}
	f.Temperature = loopFigures{*out.Rounds[1].Critiques, *out.Rounds[1].Revisions}
	given := make([]revise.Row, len(b.rows))
	for i, r := range b.rows {
		given[i] = r
		given[i].Response = &records[i].Turns[0].Text
	}
	out = b.judged(t, b.loop(t, given, 1, 0))
	f.Greedy = loopFigures{*out.Rounds[1].Critiques, *out.Rounds[1].Revisions}
	f.Verdicts = b.verdicts(t, records)
	f.Judgements = b.judgements(t, feedback.OptionsFirst)
	f.Principle = b.judgements(t, feedback.PrincipleFirst)
	return f
}

// scored is a prompt with two answers.
type scored struct {
	conversation []chat.Message
	first        float64 // probability of the first answer, of both together
	mass         float64 // of both
}

// score computes the probabilities of two answers to each prompt.
func (b *testbedRun) score(t *testing.T, asks []scored, first, second string) {
	t.Helper()
	const sequences, longest = 16, 1024
	backend, err := b.model.NewContext(runner.ContextPlan{Limit: longest, Own: longest, Context: longest, Sequences: sequences + 1, Threads: 2, TypeK: llama.KVQ8_0, FlashAttn: llama.FlashOff})
	if err != nil {
		t.Fatal(err)
	}
	defer closing(t, backend.Close)
	e, err := b.model.EngineOver(backend, "", engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var options [][]engine.Token
	for _, text := range []string{first, second} {
		ids, err := b.model.Vocab().Tokenize(text, false, false)
		if err != nil {
			t.Fatal(err)
		}
		options = append(options, ids)
	}
	for i := range asks {
		c, err := b.format.Open(t.Context(), asks[i].conversation)
		if err != nil {
			t.Fatal(err)
		}
		err = e.Score(&engine.Score{Tokens: c.Tokens, Options: options, Done: func(s engine.Scores) {
			if s.Err != nil {
				t.Errorf("scoring: %v", s.Err)
				return
			}
			x, y := math.Exp(total(s.LogProbs[0])), math.Exp(total(s.LogProbs[1]))
			asks[i].first, asks[i].mass = x/(x+y), x+y
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func total(list []float64) (sum float64) {
	for _, x := range list {
		sum += x
	}
	return sum
}

// messages are a row's messages and what follows them, by turns the assistant's and the user's.
func messages(r revise.Row, more ...string) []chat.Message {
	msgs := append([]chat.Message{}, r.Messages...)
	for i, text := range more {
		msgs = append(msgs, chat.Message{Role: []chat.Role{chat.Assistant, chat.User}[i%2], Text: text})
	}
	return msgs
}

// verdicts asks of each row's first response whether it breaks a principle.
func (b *testbedRun) verdicts(t *testing.T, records []revise.Record) verdictFigures {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 1))
	var asks []scored
	var breach []bool
	for i, rec := range records {
		p, _ := oracle.Prompt(b.truth, rec)
		principle := b.broad(r)
		text := rec.Turns[0].Text
		breach = append(breach, len(b.truth.Breaks(principle, b.truth.ReadResponse(p, text))) > 0)
		asks = append(asks, scored{conversation: messages(b.rows[i], text, feedback.VerdictRequest(b.text(principle)))})
	}
	b.score(t, asks, feedback.SaidBreach, feedback.SaidClean)
	var right, said, due int
	for i, a := range asks {
		due += stats.Indicator[int](breach[i])
		said += stats.Indicator[int](a.first > 0.5)
		right += stats.Indicator[int](breach[i] && a.first > 0.5)
	}
	return verdictFigures{stats.NewShare(right, said), stats.NewShare(right, due)}
}

// broad draws a broad principle.
func (b *testbedRun) broad(r *rand.Rand) testbed.Principle {
	for {
		if p := b.truth.Principles()[r.IntN(len(b.truth.Principles()))]; p.Broad {
			return p
		}
	}
}

func (b *testbedRun) text(p testbed.Principle) string {
	own, _ := b.doc.Principle(p.ID)
	return own.Text
}

// judgements asks, of pairs of responses that the grammar makes for the held-out prompts, which is better under a
// principle that tells them apart, in both orders.
func (b *testbedRun) judgements(t *testing.T, layout feedback.PromptOrder) judgementFigures {
	t.Helper()
	r := rand.New(rand.NewPCG(2, 2))
	type pair struct {
		truth       testbed.Choice
		there, back testbed.Judgement
		longer      testbed.Choice
	}
	var pairs []pair
	var asks []scored
	for _, row := range b.rows {
		prompt := row.Messages[len(row.Messages)-1].Text
		p, ok := b.truth.ReadPrompt(prompt)
		if !ok {
			t.Fatalf("the held-out prompt %q is not of the world", prompt)
		}
		x, y, principle, ok := b.unlike(r, p)
		if !ok {
			continue
		}
		longer := testbed.A
		if len(y.Sentences) > len(x.Sentences) {
			longer = testbed.B
		}
		pairs = append(pairs, pair{b.truth.Prefers(principle, x, y), b.truth.Judges(principle, x, y), b.truth.Judges(principle, y, x), longer})
		question := testbed.JudgeQuestion(b.text(principle))
		for _, options := range []string{feedback.Options(row.Messages, x.Text, y.Text), feedback.Options(row.Messages, y.Text, x.Text)} {
			text := layout.Join(options, question)
			asks = append(asks, scored{conversation: []chat.Message{{Role: chat.User, Text: text}}})
		}
	}
	b.score(t, asks, testbed.A.Answer(), testbed.B.Answer())
	var mass float64
	var right, both, flipped, sound, ofSound, sight, ofSight, position, ofPosition, length, ofLength int
	for i, p := range pairs {
		there, back := asks[2*i], asks[2*i+1]
		mass += (there.mass + back.mass) / 2 / float64(len(pairs))
		said := choice(there.first)
		right += stats.Indicator[int](said == p.truth)
		both += stats.Indicator[int](choice((there.first+1-back.first)/2) == p.truth)
		flipped += stats.Indicator[int](said == choice(back.first))
		switch p.there.Fault {
		case testbed.Sound:
			ofSound++
			sound += stats.Indicator[int](said == p.truth)
		case testbed.Sight:
			ofSight++
			sight += stats.Indicator[int](said == p.truth)
		case testbed.Position:
			ofPosition++
			position += stats.Indicator[int](said == testbed.A)
		case testbed.Length:
			ofLength++
			length += stats.Indicator[int](said == p.longer)
		}
	}
	n := len(pairs)
	return judgementFigures{
		Mass: mass, OneOrder: stats.NewShare(right, n), Both: stats.NewShare(both, n), Flipped: stats.NewShare(flipped, n),
		Sound: stats.NewShare(sound, ofSound), Position: stats.NewShare(position, ofPosition),
		Length: stats.NewShare(length, ofLength), Sight: stats.NewShare(sight, ofSight),
	}
}

func choice(ofA float64) testbed.Choice {
	if ofA > 0.5 {
		return testbed.A
	}
	return testbed.B
}

// unlike draws two responses and a principle under which their breaches differ in number.
func (b *testbedRun) unlike(r *rand.Rand, p testbed.Prompt) (x, y testbed.Response, principle testbed.Principle, ok bool) {
	if len(p.Tempts) == 0 {
		return x, y, principle, false
	}
	for range 1000 {
		x, y = b.truth.DrawResponse(r, p), b.truth.DrawResponse(r, p)
		principle = b.truth.Principles()[r.IntN(len(b.truth.Principles()))]
		if len(b.truth.Breaks(principle, x)) != len(b.truth.Breaks(principle, y)) {
			return x, y, principle, true
		}
	}
	return x, y, principle, false
}

// compareFigures wants each share inside the committed one's interval, widened by its own.
func compareFigures(t *testing.T, got, want figures) {
	t.Helper()
	flat := func(f figures) map[string]stats.Share {
		var any any
		text, err := json.Marshal(f)
		if err == nil {
			err = json.Unmarshal(text, &any)
		}
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]stats.Share{}
		flatten("", any, out)
		return out
	}
	wants := flat(want)
	for name, g := range flat(got) {
		w, ok := wants[name]
		if !ok {
			t.Errorf("%s is not among the committed figures", name)
			continue
		}
		const few = 5 // cases: a share of fewer says nothing
		if half := (g.High-g.Low)/2 + (w.High-w.Low)/2; g.Of >= few && math.Abs(g.Share-w.Share) > 1.5*half {
			t.Errorf("%s: %.3f of %d, committed %.3f of %d", name, g.Share, g.Of, w.Share, w.Of)
		}
	}
}

// flatten finds the shares in JSON.
func flatten(name string, v any, out map[string]stats.Share) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			flatten(name+"/"+string(rune('0'+i)), e, out)
		}
	case map[string]any:
		if share, ok := v["share"].(float64); ok {
			number := func(key string) float64 { n, _ := v[key].(float64); return n }
			out[name] = stats.Share{Share: share, Of: int(number("of")), Low: number("low"), High: number("high")}
			return
		}
		for key, e := range v {
			flatten(name+"/"+key, e, out)
		}
	}
}
