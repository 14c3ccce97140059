package bench

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"amend/cmd/amend/internal/runner"
)

// Env is what measuring needs of the process around it.
type Env struct {
	Log     *slog.Logger
	Now     func() time.Time
	Stdin   io.Reader // is read where the prompts are "-"
	Version string    // amend's, for the report
	// TemplateWorker starts the process that renders chat templates: its argv.
	TemplateWorker []string
}

// options are what opening a model needs.
func (e Env) options() runner.Options {
	return runner.Options{Log: e.Log, TemplateWorker: e.TemplateWorker, Date: e.Now().UTC().Format(time.DateOnly)}
}

// session is one benchmark under way: the model that is open, and what is known of the report.
type session struct {
	env    Env
	config Config
	model  *runner.Model
	report Report
}

// open loads the model. To drive a peer its vocabulary is enough. The caller closes the session's model.
func open(ctx context.Context, env Env, c Config) (s *session, err error) {
	runner.SetLog(env.Log)
	if c.Threads == 0 {
		c.Threads = runtime.GOMAXPROCS(0)
	}
	compute := runner.DefaultCompute()
	compute.Threads, compute.GPULayers = c.Threads, c.GPULayers
	s = &session{env: env, config: c}
	if c.Peer.URL != "" {
		s.model, err = runner.LoadVocabulary(ctx, c.Model, compute, env.options())
	} else {
		s.model, err = runner.Load(ctx, c.Model, compute, env.options())
	}
	if err != nil {
		return nil, err
	}
	info, machine := s.model.Info(), runner.Machine()
	s.report.Setup = Setup{
		Model: info.Name, Architecture: info.Architecture, Quantization: info.Quantization,
		CPU: machine.CPU, Cores: machine.Cores, Threads: c.Threads, LlamaCpp: runner.LlamaVersion(), Amend: env.Version,
	}
	return s, nil
}

// setting is how amend's own variants compute where all rows share a preamble of so many tokens.
func (s *session) setting(preamble int) (runner.ContextPlan, error) {
	c := s.config
	kind, err := s.model.Kind(runner.ContextConfig{KV: c.KV, KVType: c.KVType})
	if err != nil {
		return kind, err
	}
	kind = kind.WithFlashAttention(c.FlashAttention == FlashOn || c.FlashAttention == FlashAuto && kind.FlashAttention())
	from, err := s.model.AttachFrom(kind)
	if from > 0 && preamble >= from {
		kind.Shared = preamble
	}
	return kind, err
}

// fit chooses how many of rows are alive at once, where each can come to hold need tokens.
func (s *session) fit(setting runner.ContextPlan, rows, need, trained int) (runner.ContextPlan, error) {
	d, err := s.model.Requirements(runner.ContextConfig{Parallel: s.config.Parallel})
	if err != nil {
		return runner.ContextPlan{}, err
	}
	d.Need, d.Rows, d.Trained = need, rows, trained
	return s.model.Plan(d, setting)
}

// openContext makes a context of sequences that each hold tokens.
func (s *session) openContext(setting runner.ContextPlan, sequences, tokens int) (closer, error) {
	return s.model.NewContext(setting.Exactly(sequences, tokens))
}

// inTurns runs each of the named variants as often as the config says, in turns, and returns the run of each that took the
// median time.
func (s *session) inTurns(names []string, run func(name string) (Variant, error)) ([]Variant, error) {
	runs := make([][]Variant, len(names))
	for range s.config.Repeat {
		for i, name := range names {
			v, err := run(name)
			if err != nil {
				return nil, err
			}
			runs[i] = append(runs[i], v)
		}
	}
	return medians(runs), nil
}

// say tells a person what is being measured.
func (s *session) say(format string, args ...any) {
	s.env.Log.Info(fmt.Sprintf(format, args...))
}
