package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/engine/atomicfile"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/refusal"
	"amend/engine/reward"
	"amend/engine/runstore"
	"amend/models/testbed"
)

// BestConfig are the settings of choosing the best of a run's samples.
type BestConfig struct {
	Run        string `yaml:"run,omitempty"`
	Preference string `yaml:"preference"` // the preference model's file
	ByLabels   bool   `yaml:"by-labels"`  // choose by the judge's labels instead
	Model      string `yaml:"model"`      // that the preference model was trained over; empty: the run's own
	Out        string `yaml:"out"`        // a file for each prompt with its best answer; empty: none
	// Compute.Chat is empty to write conversations as the run does.
	Compute runner.ComputeConfig `yaml:",inline"`
}

// DefaultBestConfig returns the default settings of choosing.
func DefaultBestConfig() BestConfig {
	c := BestConfig{Compute: runner.DefaultCompute()}
	c.Compute.Chat = ""
	return c
}

// Validate checks what the settings alone can tell.
func (c BestConfig) Validate() error {
	var by error
	switch {
	case c.Preference == "" && !c.ByLabels:
		by = failure.Missing("preference", "the file that amend prefer train writes; by-labels chooses by the judge's labels instead")
	case c.Preference != "" && c.ByLabels:
		by = &failure.FieldError{Field: "by-labels", Want: "chooses without a preference model: leave one of the two away"}
	}
	return errors.Join(by, inherited(c.Compute).Validate())
}

// BestReport says what the best of 1, 2, 4, … samples are like.
type BestReport struct {
	Prompts  int           `json:"prompts"`
	Curve    []reward.Step `json:"curve"`
	Computed *int          `json:"tokens_computed,omitempty"` // nil where no states were read
	Reused   *int          `json:"tokens_reused,omitempty"`
}

// sampled is a prompt with its samples.
type sampled struct {
	id         string
	messages   []chat.Message
	candidates []reward.Candidate
	first      bool // the prompt's first sample is among the candidates, as the first one
}

// Best takes the best of n samples of a run, by a preference model or by the judge's labels, and says what that does.
func Best(ctx context.Context, env Env, c BestConfig) (r BestReport, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	m, rows, err := runstore.Read(c.Run)
	if err != nil {
		return r, err
	}
	all, err := samplesOf(m, rows)
	if err != nil {
		return r, failure.Inputf("%s: %w", c.Run, err)
	}
	if c.Out != "" {
		if err := writable(c.Out); err != nil {
			return r, err
		}
	}
	var scorer *reward.Model
	if c.ByLabels {
		err = scoreByLabels(c.Run, all)
	} else {
		scorer, err = env.scoreByModel(ctx, c, m, all, &r)
	}
	if err != nil {
		return r, err
	}
	all = slices.DeleteFunc(all, func(s *sampled) bool { return len(s.candidates) == 0 })
	if c.Out != "" {
		if err := writeBest(c.Out, all); err != nil {
			return r, err
		}
	}
	return r, env.curve(c, env.untrained(all, scorer), m.Results.Samples, &r)
}

// curve compares the best of ever more samples.
func (e Env) curve(c BestConfig, all []*sampled, samples int, r *BestReport) error {
	detector, err := refusal.Load()
	if err != nil {
		return err
	}
	groups := make([][]reward.Candidate, len(all))
	for i, s := range all {
		for j := range s.candidates {
			s.candidates[j].Refuses = detector.Refuses(s.candidates[j].Text)
		}
		groups[i] = s.candidates
	}
	r.Prompts, r.Curve = len(all), reward.Curve(groups, samples)
	if len(r.Curve) == 0 {
		return failure.Inputf("no prompt of %s has all of its %d samples", c.Run, samples)
	}
	if left := len(all) - r.Curve[0].Prompts; left > 0 {
		e.Log.Warn("prompts with a sample that failed, is empty or has no valid label are left out", "prompts", left, "of", len(all))
	}
	return nil
}

// scoreByModel scores all samples by the preference model, and returns it.
func (e Env) scoreByModel(ctx context.Context, c BestConfig, m runstore.Manifest, all []*sampled, r *BestReport) (*reward.Model, error) {
	model, compute := c.Model, c.Compute
	if model == "" {
		last, err := StoredRun{Dir: c.Run, Manifest: m}.lastModel("model")
		if err != nil {
			return nil, err
		}
		model, compute = last.Model, likeRun(compute, last)
	}
	scorer, job, err := e.scorerJob(c.Preference, model, inherited(compute))
	if err != nil {
		return nil, err
	}
	return scorer, e.scoreSamples(ctx, c.Run, job, all, r)
}

// untrained returns the prompts that a preference model was not trained on, and all of them where there is no such prompt
// or no such model.
func (e Env) untrained(all []*sampled, scorer *reward.Model) (others []*sampled) {
	if scorer == nil {
		return all
	}
	for _, s := range all {
		if !scorer.TrainedOn(feedback.PromptHash(s.messages)) {
			others = append(others, s)
		}
	}
	switch trained := len(all) - len(others); {
	case len(others) == 0:
		e.Log.Warn("the preference model was trained on every prompt here: the curve is too good", "prompts", trained)
		return all
	case trained > 0:
		e.Log.Info("prompts that the preference model was trained on are left out of the curve", "prompts", trained, "of", len(all))
	}
	return others
}

// scoreSamples scores all candidates; their hidden states are kept in the run.
func (e Env) scoreSamples(ctx context.Context, dir string, job statesJob, all []*sampled, r *BestReport) error {
	name := func(s *sampled, i int) string { return fmt.Sprintf("%s %d", s.id, i) }
	for _, s := range all {
		for i, c := range s.candidates {
			job.Responses = append(job.Responses, response{ID: name(s, i), Messages: s.messages, Text: c.Text, Dir: dir})
		}
	}
	h, done, err := e.readStates(ctx, job)
	if err != nil {
		return err
	}
	r.Computed, r.Reused = &done.Computed, &done.Reused
	for _, s := range all {
		var scored []reward.Candidate
		for i, candidate := range s.candidates {
			id := name(s, i)
			if why, refused := h.refused[id]; refused {
				return failure.Inputf("prompt %s: %s", s.id, why)
			}
			if why, crashed := h.crashed[id]; crashed {
				e.Log.Warn("an answer cannot be scored", "prompt", s.id, "why", why)
				continue
			}
			candidate.Score = h.read[id].Score
			scored = append(scored, candidate)
		}
		s.candidates = scored
	}
	return nil
}

// scoreByLabels scores samples by what the judge says of each against the first one of its prompt: the logarithm of the
// odds that it is better. A sample without a valid label of its very text is no candidate, and a prompt whose first sample
// is missing has none.
func scoreByLabels(dir string, all []*sampled) error {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return failure.Input(err)
	}
	if !set.Settings.Source.AgainstFirst {
		return failure.Inputf("the labels of %s compare other pairs: amend feedback %s --pairing %s makes those that are needed", dir, dir, PairFirst)
	}
	better := map[[2]string]float64{} // than the first of its prompt, by the conversation and both texts
	for l, err := range set.Labels {
		if err != nil {
			return err
		}
		if l.Label.P != nil {
			const sure = 1e-9 // of a judge that leaves no doubt
			p := min(max(*l.Label.P, sure), 1-sure)
			better[judgedTexts(l.Pair.Messages, l.Pair.First, l.Pair.Second)] = math.Log1p(-p) - math.Log(p)
		}
	}
	for _, s := range all {
		if !s.first {
			s.candidates = nil
			continue
		}
		kept, first := 0, s.candidates[0].Text
		for _, c := range s.candidates {
			score, ok := better[judgedTexts(s.messages, first, c.Text)]
			if c.Text == first { // itself, or one that was not compared with it
				score, ok = 0, true
			}
			if c.Score = score; ok {
				s.candidates[kept] = c
				kept++
			}
		}
		s.candidates = s.candidates[:kept]
	}
	return nil
}

// judgedTexts name a comparison by what was judged.
func judgedTexts(conversation []chat.Message, first, second string) [2]string {
	return [2]string{feedback.PromptHash(conversation) + first, second}
}

// samplesOf groups the final answers of a run by prompt. Empty ones are no candidates, and a prompt that has none is left
// out.
func samplesOf(m runstore.Manifest, rows records) ([]*sampled, error) {
	if m.Results.Samples < 2 {
		return nil, errors.New("the run has one answer to each prompt and nothing to choose from: make it with samples")
	}
	var world *testbed.World
	if isTestbed(m) {
		world = testbed.New()
	}
	var all []*sampled
	at := map[string]*sampled{}
	for rec, err := range rows {
		if err != nil {
			return nil, err
		}
		final, ok := rec.Final()
		if !ok || rec.Error != "" || rec.Sample == nil || final.Text == "" {
			continue
		}
		s := at[rec.Sample.Of]
		if s == nil {
			s = &sampled{id: rec.Sample.Of, messages: rec.Messages, first: rec.Sample.Number == 1}
			at[s.id] = s
			all = append(all, s)
		}
		c := reward.Candidate{Text: final.Text}
		if world != nil {
			a, ok := oracle.Quality(world, rec, final.Text)
			c.Known, c.Broken, c.Facts, c.InGrammar, c.Doubtful = ok, len(a.Broken), a.Facts, a.InGrammar, a.Doubtful
		}
		s.candidates = append(s.candidates, c)
	}
	if len(all) == 0 {
		return nil, errors.New("no row has an answer")
	}
	return all, nil
}

// writeBest writes each prompt with its best answer.
func writeBest(path string, all []*sampled) error {
	err := atomicfile.Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		for _, s := range all {
			best := s.candidates[reward.Best(s.candidates)]
			row := struct {
				ID       string         `json:"id"`
				Messages []chat.Message `json:"messages"`
				Score    float64        `json:"score"`
			}{ID: s.id, Score: best.Score}
			row.Messages = append(slices.Clone(s.messages), chat.Message{Role: chat.Assistant, Text: best.Text})
			if err := enc.Encode(row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return failure.Inputf("writing the best answers: %w", err)
	}
	return nil
}
