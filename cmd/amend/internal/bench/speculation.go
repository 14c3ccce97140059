package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
)

// speculation measures revision turns that copy a known share of their draft,
// with guesses and without. The model computes every token; what it says is
// scripted, since no model copies as much as one would like to measure.
type speculation struct {
	open       opener
	vocab      engine.Vocab
	vocabulary int                // tokens of it
	setting    runner.ContextPlan // of amend; without sizes, except for Shared
	preamble   int                // tokens before each row
	draft      int                // tokens of the draft, and of the revision
	request    int                // tokens of the revision request
	seed       uint64
}

// Copied is what one combination took.
type Copied struct {
	Variant  string  `json:"variant"`
	Rows     int     `json:"rows"`
	Share    float64 `json:"copied"` // of the draft's tokens
	Without  float64 `json:"without_s"`
	With     float64 `json:"with_s"`
	Ratio    float64 `json:"ratio"` // without / with
	Drafted  int     `json:"guesses"`
	Accepted int     `json:"guessed"`
}

// editLength is how many tokens of a draft are changed in one place.
const editLength = 4

// run measures a variant, Amend or PrefixCopied, with rows at once at each share,
// with and without guesses in turns. Calibration is not in the times: a run does it once.
func (s *speculation) run(ctx context.Context, variant string, rows int, shares []float64) (out []Copied, err error) {
	backend, err := s.open(settingOf(variant, s.setting), rows+1, s.length()+s.draft)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, backend.Close()) }()
	p := &parrot{closer: backend, marker: s.preamble, start: s.length(), rows: make([]engine.Token, rows+1)}
	e, err := engine.New(p, s.vocab, engine.Config{})
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(s.seed, uint64(rows)))
	preamble := s.tokens(rng, s.preamble)
	if err := e.Pin(ctx, preamble); err != nil {
		return nil, err
	}
	costs, err := e.Calibrate(ctx, preamble, rows, nil)
	if err != nil {
		return nil, err
	}
	for _, share := range shares {
		c := Copied{Variant: variant, Rows: rows, Share: share}
		for _, v := range []struct {
			costs []engine.StepCost
			took  *float64
		}{{nil, &c.Without}, {costs, &c.With}} {
			e.Speculate(v.costs)
			before := e.Stats()
			if *v.took, err = s.turns(ctx, e, p, rng, preamble, share); err != nil {
				return nil, fmt.Errorf("%d rows, %.0f %% copied: %w", rows, 100*share, err)
			}
			c.Drafted, c.Accepted = e.Stats().Drafted-before.Drafted, e.Stats().Accepted-before.Accepted
		}
		c.Ratio = c.Without / c.With
		out = append(out, c)
	}
	return out, nil
}

// length is the tokens before a revision: preamble, a marker of the row, draft
// and request.
func (s *speculation) length() int { return s.preamble + 1 + s.draft + s.request }

// turns puts the drafts of new rows into the cache, and times their revisions
// in seconds.
func (s *speculation) turns(ctx context.Context, e *engine.Engine, p *parrot, rng *rand.Rand, preamble []engine.Token, share float64) (float64, error) {
	p.scripts = map[engine.Token][]engine.Token{}
	var prompts [][]engine.Token
	var failed error
	for range len(p.rows) - 1 {
		marker := s.tokens(rng, 1)[0]
		for p.scripts[marker] != nil {
			marker = s.tokens(rng, 1)[0]
		}
		draft := s.tokens(rng, s.draft)
		p.scripts[marker] = s.edited(rng, draft, share)
		prompt := append(append(append([]engine.Token(nil), preamble...), marker), draft...)
		if err := e.Submit(&engine.Request{Tokens: prompt, MaxTokens: 1, IgnoreEnd: true, Done: func(r engine.Result) { failed = errors.Join(failed, r.Err) }}); err != nil {
			return 0, err
		}
		prompts = append(prompts, append(prompt, s.tokens(rng, s.request)...))
	}
	if err := errors.Join(e.Run(ctx), failed); err != nil {
		return 0, err
	}
	for _, prompt := range prompts {
		want := p.scripts[prompt[s.preamble]]
		err := e.Submit(&engine.Request{Tokens: prompt, MaxTokens: s.draft, IgnoreEnd: true, Done: func(r engine.Result) {
			if r.Err == nil && !slices.Equal(r.Tokens, want) {
				r.Err = errors.New("the revision is not the scripted one")
			}
			failed = errors.Join(failed, r.Err)
		}})
		if err != nil {
			return 0, err
		}
	}
	start := time.Now()
	err := e.Run(ctx)
	return time.Since(start).Seconds(), errors.Join(err, failed)
}

// tokens draws n ids from the vocabulary, away from most models' control tokens.
func (s *speculation) tokens(rng *rand.Rand, n int) []engine.Token {
	out := make([]engine.Token, n)
	for i := range out {
		out[i] = engine.Token(s.vocabulary/4 + rng.IntN(s.vocabulary/2))
	}
	return out
}

// edited is a draft of which about share is copied: runs of editLength tokens
// are changed, at random places.
func (s *speculation) edited(rng *rand.Rand, draft []engine.Token, share float64) []engine.Token {
	out := append([]engine.Token(nil), draft...)
	places := rng.Perm((len(draft) + editLength - 1) / editLength)
	for _, at := range places[:int(math.Round((1-share)*float64(len(places))))] {
		from := at * editLength
		copy(out[from:min(len(out), from+editLength)], s.tokens(rng, editLength))
	}
	return out
}

// parrot is a Backend whose model computes everything and then says what a
// script has for the row.
type parrot struct {
	closer
	marker  int // position of the token that names the row
	start   int // position of the first scripted token
	scripts map[engine.Token][]engine.Token

	rows   []engine.Token // by sequence: the row it holds
	batch  []engine.Input
	logits []float32
	said   engine.Token // the one that logits point to
}

func (p *parrot) Decode(ctx context.Context, batch []engine.Input) error {
	p.batch = append(p.batch[:0], batch...)
	for _, in := range batch {
		if int(in.Pos) == p.marker {
			p.rows[in.Seq] = in.Token
		}
	}
	return p.closer.Decode(ctx, batch)
}

func (p *parrot) Copy(src, dst, n int) bool {
	if !p.closer.Copy(src, dst, n) {
		return false
	}
	p.rows[dst] = p.rows[src]
	return true
}

func (p *parrot) Attach(src, dst int) bool {
	if !p.closer.Attach(src, dst) {
		return false
	}
	p.rows[dst] = p.rows[src]
	return true
}

func (p *parrot) Logits(i int) ([]float32, error) {
	real, err := p.closer.Logits(i)
	if err != nil {
		return nil, err
	}
	if p.logits == nil {
		p.logits = make([]float32, len(real))
	}
	in := p.batch[i]
	p.logits[p.said], p.said = 0, 0
	if k := int(in.Pos) + 1 - p.start; k >= 0 && k < len(p.scripts[p.rows[in.Seq]]) {
		p.said = p.scripts[p.rows[in.Seq]][k]
	}
	p.logits[p.said] = 1
	return p.logits, nil
}
