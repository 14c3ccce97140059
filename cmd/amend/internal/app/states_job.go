package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/engine/chat"
	"amend/engine/reward"
	"amend/engine/runstore"
)

// statesJob reads a model's hidden states over responses, as data for a worker.
type statesJob struct {
	Model     string
	Compute   runner.ComputeConfig
	Date      string
	Responses []response
	// Preference is the file of a preference model that scores the responses; empty: only the states are wanted.
	Preference     []byte
	PreferenceFile string // its name
}

// response is a conversation with a response to it.
type response struct {
	ID       string // unique in the job
	Messages []chat.Message
	Text     string
	Dir      string // of the states that are kept; empty: none are
}

// statesDone is what a worker says of its own work on hidden states.
type statesDone struct {
	States           string // their name
	Computed, Reused int    // tokens
}

// The methods of a host of hidden states, beside methodGet and methodPut.
const (
	methodState   = "state"   // a response has been read
	methodRefused = "refused" // a response cannot be written down
)

// storedState are hidden states under their key, as they travel.
type storedState struct {
	Dir      string
	Key      reward.Key
	Features reward.Features
	OK       bool // they are there
}

// readState says that a response has been read.
type readState struct {
	ID       string
	Features reward.Features // where no preference model scores it
	Score    float64
}

// unwritable says why a response cannot be written down: its template refuses the conversation.
type unwritable struct{ ID, Why string }

// statesComputation is the worker's part of reading hidden states.
type statesComputation struct {
	job      statesJob
	parent   *worker.Client
	model    *runner.Model
	scorer   *reward.Model // nil: none
	states   *runner.States
	progress *reporter
	prompts  map[string]tokenized // of the responses that can be read, by id
}

// tokenized is a response as token ids, with the conversation before it.
type tokenized struct {
	ids  []chat.Token
	from int // where the response begins
}

// computeStates is the handler of hidden states.
func (e Env) computeStates(ctx context.Context, job worker.Job, parent *worker.Client) (result []byte, err error) {
	c := &statesComputation{parent: parent, progress: newReporter(parent, "response"), prompts: map[string]tokenized{}}
	if err := json.Unmarshal(job.Payload, &c.job); err != nil {
		return nil, fmt.Errorf("reading the job: %w", err)
	}
	if c.model, err = runner.Open(ctx, runner.Weights{Model: c.job.Model}, c.job.Compute, e.options(parent.Log(), c.job.Date)); err != nil {
		return nil, err
	}
	parent.AtEnd(c.model.Close)
	for _, step := range []func(context.Context) error{c.openScorer, c.tokenize, c.makeRoom} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := c.run(ctx, job.Limits); err != nil {
		return nil, err
	}
	return json.Marshal(statesDone{States: c.model.StatesName(), Computed: c.states.Computed, Reused: c.states.Reused})
}

// openScorer reads the preference model, which is of one model's states only.
func (c *statesComputation) openScorer(context.Context) (err error) {
	if c.job.Preference == nil {
		return nil
	}
	if c.scorer, err = reward.Decode(c.job.Preference); err == nil {
		err = c.scorer.Of(c.model.StatesName())
	}
	if err != nil {
		return failure.Inputf("%s: %w", c.job.PreferenceFile, err)
	}
	return nil
}

// tokenize writes the responses down as token ids.
func (c *statesComputation) tokenize(ctx context.Context) error {
	for _, r := range c.job.Responses {
		t, err := c.tokens(ctx, r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			c.prompts[r.ID] = t
			continue
		}
		if _, err := worker.Call[worker.Nothing](c.parent, methodRefused, unwritable{r.ID, err.Error()}); err != nil {
			return err
		}
	}
	return nil
}

func (c *statesComputation) tokens(ctx context.Context, r response) (t tokenized, err error) {
	open, err := c.model.Format().Open(ctx, r.Messages)
	if err == nil {
		open, err = open.Answer()
	}
	if err != nil {
		return t, err
	}
	reply, err := open.Reply(ctx, r.Text)
	if err != nil {
		return t, err
	}
	return tokenized{append(append(t.ids, open.Tokens...), reply...), len(open.Tokens)}, nil
}

// makeRoom makes the context, for the longest conversation.
func (c *statesComputation) makeRoom(context.Context) (err error) {
	room := 1
	for _, t := range c.prompts {
		room = max(room, len(t.ids))
	}
	given := c.job.Compute.Context
	if trained := c.model.Trained(); room > trained && given == 0 {
		return failure.Inputf("a conversation has %d tokens with its answer, and %s was trained on %d: leave it out, or set ctx to %d anyway", room, c.model.Info().Name, trained, room)
	}
	if given > 0 {
		room = given
	}
	kind, err := c.model.Kind(runner.ContextConfig{KV: runner.Streams, KVType: runner.KVAuto})
	if err != nil {
		return err
	}
	c.states, err = c.model.NewStates(room, kind)
	return err
}

// run reads the responses, those that are to run alone first: all run one after the other.
func (c *statesComputation) run(ctx context.Context, limits worker.Limits) error {
	done, err := worker.Call[[]string](c.parent, methodOpen, worker.Nothing{})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, id := range done {
		seen[id] = true
	}
	c.parent.Log().Info("reading hidden states", "model", c.model.Info().Name, "responses", len(c.prompts))
	c.progress.count(len(c.job.Responses), len(done))
	c.progress.enter(Working)
	first, rest := apart(c.job.Responses, func(r response) string { return r.ID }, limits.Alone)
	for _, r := range append(first, rest...) {
		t, ok := c.prompts[r.ID]
		if !ok || seen[r.ID] {
			continue
		}
		if err := c.parent.Begin(r.ID); err != nil {
			return err
		}
		kept, err := c.read(ctx, r, t)
		if err != nil {
			return fmt.Errorf("response %s: %w", r.ID, err)
		}
		if kept {
			c.progress.unitBefore()
		} else {
			c.progress.unit(false, 0)
		}
	}
	return nil
}

// read gives the parent one response's states, or its score, and reports whether the states were kept.
func (c *statesComputation) read(ctx context.Context, r response, t tokenized) (kept bool, err error) {
	out := readState{ID: r.ID}
	if out.Features, kept, err = c.features(ctx, r, t); err != nil {
		return kept, err
	}
	if c.scorer != nil {
		if out.Score, err = c.scorer.Score(out.Features); err != nil {
			return kept, err
		}
		out.Features = reward.Features{}
	}
	_, err = worker.CallEnding[worker.Nothing](c.parent, methodState, out, r.ID)
	return kept, err
}

// features are the hidden states of a response: those that are kept, or computed.
func (c *statesComputation) features(ctx context.Context, r response, t tokenized) (f reward.Features, kept bool, err error) {
	key := reward.NewKey(c.model.StatesName(), t.ids, t.from)
	if r.Dir != "" {
		stored, err := worker.Call[storedState](c.parent, methodGet, storedState{Dir: r.Dir, Key: key})
		stored.Features.Tokens = len(t.ids) - t.from
		if err != nil || stored.OK {
			return stored.Features, true, err
		}
	}
	if f, err = c.states.Of(ctx, t.ids, t.from); err != nil || r.Dir == "" {
		return f, false, err
	}
	_, err = worker.Call[worker.Nothing](c.parent, methodPut, storedState{Dir: r.Dir, Key: key, Features: f, OK: true})
	return f, false, err
}

// statesHost is the parent's side: it keeps the states, and collects what is read.
type statesHost struct {
	env     Env
	stores  map[string]*runstore.States // by directory, opened when they are first asked for
	read    map[string]readState        // by the response's id
	refused map[string]string           // why a response cannot be written down, by its id
	crashed map[string]string           // how a response crashes the worker, by its id
}

func newStatesHost(e Env) *statesHost {
	return &statesHost{env: e, stores: map[string]*runstore.States{}, read: map[string]readState{}, refused: map[string]string{}, crashed: map[string]string{}}
}

func (h *statesHost) host() worker.Host {
	return worker.Host{
		Unit: "response", Log: h.env.Log, Notify: h.env.notify,
		PutAside: func(id, why string) error { h.crashed[id] = why; return nil },
		Methods: worker.Methods{
			methodOpen: worker.NewMethod(h.open),
			methodGet:  worker.NewMethod(h.get),
			methodPut:  worker.NewMethod(h.put),
			methodState: worker.NewMethod(func(s readState) (n worker.Nothing, err error) {
				h.read[s.ID] = s
				return n, nil
			}),
			methodRefused: worker.NewMethod(func(r unwritable) (n worker.Nothing, err error) {
				h.refused[r.ID] = r.Why
				return n, nil
			}),
		},
	}
}

// open tells a worker which responses the ones before it have read, or died of.
func (h *statesHost) open(worker.Nothing) (done []string, err error) {
	for id := range h.read {
		done = append(done, id)
	}
	for _, lost := range []map[string]string{h.refused, h.crashed} {
		for id := range lost {
			done = append(done, id)
		}
	}
	return done, nil
}

// store is the states that a directory keeps.
func (h *statesHost) store(dir string) (*runstore.States, error) {
	if s := h.stores[dir]; s != nil {
		return s, nil
	}
	s, err := runstore.OpenStates(dir)
	if err == nil {
		h.stores[dir] = s
	}
	return s, err
}

func (h *statesHost) get(in storedState) (storedState, error) {
	s, err := h.store(in.Dir)
	if err != nil {
		return in, err
	}
	in.Features, in.OK, err = s.Get(in.Key)
	return in, err
}

// put keeps states. Those that cannot be kept stop the work, which can be continued.
func (h *statesHost) put(in storedState) (n worker.Nothing, err error) {
	s, err := h.store(in.Dir)
	if err != nil {
		return n, err
	}
	return n, failure.Stopped(s.Put(in.Key, in.Features))
}

func (h *statesHost) close() error {
	var errs []error
	for _, s := range h.stores {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// readStates has a worker read hidden states, and returns the host with what it has collected, closed.
func (e Env) readStates(ctx context.Context, job statesJob) (h *statesHost, done statesDone, err error) {
	h = newStatesHost(e)
	defer func() { err = errors.Join(err, h.close()) }()
	done, err = worker.Do[statesDone](ctx, e.spawner(), jobStates, job, h.host())
	return h, done, decodeFailure(ctx, err)
}
