package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/chat"
	"amend/engine/compare"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/refusal"
	"amend/engine/revise"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// EvaluateRunConfig are the settings of an evaluation of a run.
type EvaluateRunConfig struct {
	Run     string `yaml:"run"`
	Against string `yaml:"against"` // another run of the same prompts; empty: each round is measured against the first response

	Judge        string   `yaml:"judge"` // a model that says who wins; empty: none does
	Constitution []string `yaml:"constitution"`
	Draws        int      `yaml:"draws"`    // principles of each pair
	Untested     bool     `yaml:"untested"` // the judge is trusted also where it fails its test
	Preference   string   `yaml:"preference"`
	Model        string   `yaml:"model"` // whose hidden states the preference model reads
	Out          string   `yaml:"out"`   // directory of judgements and hidden states; empty: evals/run-RUN
	Limit        int      `yaml:"limit"` // how many rows are taken; 0: all
	Seed         uint64   `yaml:"seed"`

	Compute runner.ComputeConfig `yaml:",inline"`
	Context runner.ContextConfig `yaml:",inline"`
}

// DefaultEvaluateRunConfig returns the default settings.
func DefaultEvaluateRunConfig() EvaluateRunConfig {
	return EvaluateRunConfig{Draws: 3, Compute: runner.DefaultCompute(), Context: runner.DefaultContext()}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError, joined.
func (c EvaluateRunConfig) Validate() error {
	var missing error
	if c.Preference != "" && c.Model == "" {
		missing = failure.Missing("model", "the model that the preference model was trained on")
	}
	return errors.Join(missing, failure.Range("draws", c.Draws, 1, 1000), failure.Range("limit", c.Limit, 0, 1<<40), c.Compute.Validate(), c.Context.Validate())
}

// dir is the directory of what is computed.
func (c EvaluateRunConfig) dir() string {
	if c.Out != "" {
		return c.Out
	}
	return filepath.Join("evals", "run-"+filepath.Base(filepath.Clean(c.Run)))
}

// RunEvaluation says what the rounds of a run did to its answers.
type RunEvaluation struct {
	Run     string `json:"run"`
	Against string `json:"against,omitempty"`
	// Answers are those after each round, measured against the first responses or the other run's final answers, and baselines
	// measured likewise.
	Answers []compare.Row `json:"answers"`
	// Left are rows that failed, and those that the other run does not have.
	Left int `json:"left_out"`
	*oracle.Outcome
}

// EvaluateRun measures the answers of a run. With a judge or a preference model it says who wins; what they compute is kept in a
// directory, and the same call continues.
func EvaluateRun(ctx context.Context, env Env, c EvaluateRunConfig) (r RunEvaluation, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	run, err := ReadRun(ctx, c.Run)
	if err != nil {
		return r, err
	}
	detector, err := refusal.Load()
	if err != nil {
		return r, err
	}
	rows := contest{run: run, declines: declines(detector)}
	if err := rows.read(ctx, c); err != nil {
		return r, err
	}
	if c.Judge != "" {
		if err := rows.judge(ctx, env, c); err != nil {
			return r, err
		}
	}
	if c.Preference != "" {
		if err := rows.prefer(ctx, env, c); err != nil {
			return r, err
		}
	}
	r.Run, r.Against, r.Left = c.Run, c.Against, rows.left
	for _, name := range rows.names {
		r.Answers = append(r.Answers, compare.NewRow(name, rows.cases[name], rows.judges))
	}
	if isTestbed(run.Manifest) && c.Against == "" {
		outcome, err := oracle.Of(testbed.New(), run.Manifest.Results.Revisions, run.Rows)
		if err != nil {
			return r, err
		}
		r.Outcome = &outcome
	}
	return r, nil
}

// contest is the answers that are measured, by what they are.
type contest struct {
	run   StoredRun
	names []string // in the order of the table
	cases map[string][]compare.Case
	pairs map[string][]feedback.Pair // the cases' answers behind their bases
	left  int

	declines func(answer string) (declined, judged bool)
	judges   []string // that have said who wins
}

// read takes the answers of the run's rows.
func (t *contest) read(ctx context.Context, c EvaluateRunConfig) error {
	t.cases, t.pairs = map[string][]compare.Case{}, map[string][]feedback.Pair{}
	others, err := finals(ctx, c.Against)
	if err != nil {
		return err
	}
	n := 0
	for rec, err := range t.run.Rows {
		if err != nil {
			return err
		}
		if n++; c.Limit > 0 && n > c.Limit {
			break
		}
		first, ok := rec.After(0)
		if rec.Error != "" || !ok {
			t.left++
			continue
		}
		if c.Against != "" {
			other, ok := others[rec.ID]
			final, _ := rec.Final()
			if !ok || feedback.PromptHash(other.messages) != feedback.PromptHash(rec.Messages) {
				t.left++
				continue
			}
			t.add("final", rec, other.turn, final)
			continue
		}
		t.add("first responses", rec, first, first)
		for round := 1; round <= t.run.Manifest.Results.Revisions; round++ {
			turn, _ := rec.After(round)
			t.add("round "+strconv.Itoa(round), rec, first, turn)
		}
		t.add("always refuses", rec, first, revise.Turn{Text: compare.Refusal})
		t.add("first sentence", rec, first, revise.Turn{Text: compare.FirstSentence(first.Text)})
	}
	if len(t.names) == 0 {
		return failure.Inputf("%s has no rows to measure: %d failed, or are not in the other run", c.Run, t.left)
	}
	return nil
}

// final is a row's final answer in another run.
type final struct {
	messages []chat.Message
	turn     revise.Turn
}

// finals are those of a run by the row's id; none where dir is empty.
func finals(ctx context.Context, dir string) (map[string]final, error) {
	if dir == "" {
		return nil, nil
	}
	run, err := ReadRun(ctx, dir)
	if err != nil {
		return nil, err
	}
	out := map[string]final{}
	for rec, err := range run.Rows {
		if err != nil {
			return nil, err
		}
		if turn, ok := rec.Final(); ok && rec.Error == "" {
			out[rec.ID] = final{rec.Messages, turn}
		}
	}
	return out, nil
}

// add takes an answer with its base.
func (t *contest) add(name string, rec revise.Record, base, answer revise.Turn) {
	if t.cases[name] == nil {
		t.names = append(t.names, name)
	}
	p := feedback.Pair{
		ID: name + "/" + rec.ID, Index: len(t.cases[name]), Messages: rec.Messages, Attributes: rec.Attributes, First: base.Text, Second: answer.Text,
	}
	t.pairs[name] = append(t.pairs[name], p)
	t.cases[name] = append(t.cases[name], compare.Case{
		Prompt: feedback.PromptHash(rec.Messages), Base: t.measured(base), Answer: t.measured(answer), Wins: map[string]float64{},
	})
}

// measured is a turn with what is known of its text.
func (t *contest) measured(turn revise.Turn) compare.Answer {
	a := compare.Answer{Text: turn.Text}
	declined, judged := t.declines(turn.Text)
	a.Declines, a.NotJudged = declined, !judged
	for _, f := range turn.Flags {
		a.Flags = append(a.Flags, string(f))
	}
	return a
}

// win takes who wins by a judge. An answer that is its base neither wins nor loses.
func (t *contest) win(by string, of func(p feedback.Pair) (win float64, ok bool)) {
	t.judges = append(t.judges, by)
	for name, pairs := range t.pairs {
		for i, p := range pairs {
			if win, ok := of(p); p.First == p.Second {
				t.cases[name][i].Wins[by] = 0.5
			} else if ok {
				t.cases[name][i].Wins[by] = win
			}
		}
	}
}

// judge has a model compare each answer with its base, in both orders.
func (t *contest) judge(ctx context.Context, env Env, c EvaluateRunConfig) error {
	f := DefaultFeedbackConfig()
	f.Untested = c.Untested
	f.Judge, f.Out, f.Draws, f.Seed, f.Compute, f.Context, f.Constitution = c.Judge, c.dir(), c.Draws, c.Seed, c.Compute, c.Context, c.Constitution
	l := labelling{truth: known}
	if len(f.Constitution) == 0 {
		f.Constitution = []string{constitutionFile(c.Run)}
		l.job.Selections = [][]string{t.run.Manifest.Setup.Principles}
	}
	for _, name := range t.names {
		for _, p := range t.pairs[name] {
			if p.First != p.Second {
				p.Index = len(l.job.Pairs)
				l.job.Pairs = append(l.job.Pairs, p)
			}
		}
	}
	if len(l.job.Pairs) == 0 {
		t.win("judge", func(feedback.Pair) (float64, bool) { return 0, false })
		return nil
	}
	var err error
	if l.job.Source, err = sourceOfPairs(l.job.Pairs); err != nil {
		return err
	}
	if l.job.Date, err = env.labelDate(f.Out, nil); err != nil {
		return err
	}
	l.job.Config = f
	if err := l.readConstitution(nil); err != nil {
		return err
	}
	if _, err := env.labelPairs(ctx, l); err != nil {
		return err
	}
	set, err := runstore.ReadFeedback(f.Out)
	if err != nil {
		return err
	}
	labels := map[string]float64{}
	for l, err := range set.Labels {
		if err != nil {
			return err
		}
		if l.Label.P != nil {
			labels[l.Label.ID] = *l.Label.P
		}
	}
	t.win("judge", func(p feedback.Pair) (float64, bool) {
		first, ok := labels[p.ID]
		return winner(1-first, first), ok
	})
	return nil
}

// sourceOfPairs names pairs that are in no file.
func sourceOfPairs(pairs []feedback.Pair) (digest.PairSource, error) {
	text, err := json.Marshal(pairs)
	if err != nil {
		return digest.PairSource{}, fmt.Errorf("writing the pairs down: %w", err)
	}
	sum := sha256.Sum256(text)
	return digest.PairSource{Pairs: hex.EncodeToString(sum[:])}, nil
}

// prefer has a preference model score each answer and its base.
func (t *contest) prefer(ctx context.Context, env Env, c EvaluateRunConfig) error {
	_, job, err := env.scorerJob(c.Preference, c.Model, c.Compute)
	if err != nil {
		return err
	}
	ids := map[[2]string]string{} // of conversation and text
	for _, name := range t.names {
		for _, p := range t.pairs[name] {
			for _, text := range []string{p.First, p.Second} {
				key := [2]string{feedback.PromptHash(p.Messages), text}
				if _, there := ids[key]; !there && text != "" {
					ids[key] = strconv.Itoa(len(ids))
					job.Responses = append(job.Responses, response{ID: ids[key], Messages: p.Messages, Text: text, Dir: c.dir()})
				}
			}
		}
	}
	h, _, err := env.readStates(ctx, job)
	if err != nil {
		return err
	}
	t.win("preference", func(p feedback.Pair) (float64, bool) {
		base, ok := h.read[ids[[2]string{feedback.PromptHash(p.Messages), p.First}]]
		answer, ok2 := h.read[ids[[2]string{feedback.PromptHash(p.Messages), p.Second}]]
		return winner(answer.Score, base.Score), ok && ok2
	})
	return nil
}

// winner is 1 where an answer is worth more than its base, 0 where it is worth less, else a half.
func winner(answer, base float64) float64 {
	switch {
	case answer > base:
		return 1
	case answer < base:
		return 0
	}
	return 0.5
}
