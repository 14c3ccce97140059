package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"charm.land/log/v2"
	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/runner"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/kvfile"
	"amend/engine/llama"
	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/models"
	"amend/models/testbed"
)

// modelFlags say which model computes, and how.
type modelFlags struct {
	model         string
	chat          string
	template      string
	context       int
	threads       int
	gpuLayers     int
	deterministic bool

	progress string
	verbose  bool
}

func (o *modelFlags) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.chat, "chat", chatTemplate, "how conversations are written: template (the model's own) or plain (Human:/Assistant:, for base models)")
	f.StringVar(&o.template, "template", "", "a file with a Jinja chat template to use instead of the model's")

	f.IntVar(&o.context, "ctx", 0, "most tokens that one row may hold; 0 takes what the rows can need")
	f.IntVar(&o.threads, "threads", 0, "CPU threads; 0 takes one for each core")
	f.IntVar(&o.gpuLayers, "gpu-layers", -1, "layers to put on a GPU, where there is one; -1 puts all")
	f.BoolVar(&o.deterministic, "deterministic", false, "the same results to the last bit whatever runs beside a row: on a CPU, with plain kernels, one KV stream a row and no flash attention")

	f.StringVar(&o.progress, "progress", progressAuto, "progress on standard error: auto, plain or none")
	f.BoolVar(&o.verbose, "verbose", false, "show llama.cpp's own log")
}

// engineFlags say how rows share a context.
type engineFlags struct {
	parallel      int
	kv, kvType    string
	preambleCache string
}

func (o *engineFlags) addFlags(f *pflag.FlagSet) {
	f.IntVar(&o.parallel, "parallel", 0, "rows alive at once; 0 chooses by memory")
	f.StringVar(&o.kv, "kv", string(runner.Auto), "KV cache: streams (one buffer a sequence), unified (shared cells) or auto: streams, unless shared cells let twice as many rows run in the memory there is")
	f.StringVar(&o.kvType, "kv-type", runner.KVAuto, "type of the cached keys: f16, q8_0, or auto: q8_0 for quantized weights on a CPU (values stay f16)")
	f.StringVar(&o.preambleCache, "preamble-cache", "", "keep the computed preamble in this folder, and load it from there in a later run; empty keeps none")
}

// noEngine are the flags of a command that has no engine.
func noEngine() *engineFlags { return &engineFlags{kv: string(runner.Streams), kvType: runner.KVAuto} }

// The values of --chat.
const (
	chatTemplate = "template"
	chatPlain    = "plain"
)

// mostTokens is the highest value of flags that count tokens.
const mostTokens = 1 << 24

// validate checks what flags alone can tell. Its errors name flag and range.
func (o *modelFlags) validate() error {
	if err := oneOf([]choice{
		{"--chat", o.chat, []string{chatTemplate, chatPlain}},
		{"--progress", o.progress, []string{progressAuto, progressPlain, progressNone}},
	}); err != nil {
		return err
	}
	if err := within([]limits{
		{"--ctx", o.context, 0, mostTokens},
		{"--threads", o.threads, 0, 512},
		{"--gpu-layers", o.gpuLayers, -1, mostTokens},
	}); err != nil {
		return err
	}
	if o.template != "" && o.chat == chatPlain {
		return fmt.Errorf("--template %s and --chat plain exclude each other", o.template)
	}
	return nil
}

// validate is modelFlags'.
func (o *engineFlags) validate() error {
	if err := oneOf([]choice{{"--kv", o.kv, layoutNames()}, {"--kv-type", o.kvType, runner.KVTypes()}}); err != nil {
		return err
	}
	return within([]limits{{"--parallel", o.parallel, 0, mostTokens}})
}

// choice is a flag with the values that it may have.
type choice struct {
	flag, value string
	among       []string
}

func oneOf(choices []choice) error {
	for _, c := range choices {
		if !slices.Contains(c.among, c.value) {
			return fmt.Errorf("%s %q: must be %s", c.flag, c.value, strings.Join(c.among, ", "))
		}
	}
	return nil
}

// limits is a flag with the range that it may have.
type limits struct {
	flag          string
	value, lo, hi int
}

func within(all []limits) error {
	for _, c := range all {
		if c.value < c.lo || c.value > c.hi {
			return fmt.Errorf("%s %d: must be from %d to %d", c.flag, c.value, c.lo, c.hi)
		}
	}
	return nil
}

// defaultConstitution is the one for a model where none is given.
func defaultConstitution(model string) string {
	if model == testbed.Name {
		return testbed.Name
	}
	return "hhh"
}

// ofRun takes the model of a run, and its way of writing conversations but for what was given.
func (o *modelFlags) ofRun(m runstore.Manifest, given *pflag.FlagSet) {
	if o.model = m.Setup.Model; isTestbed(m) {
		o.model = testbed.Name
	}
	if !given.Changed("chat") {
		o.chat = m.Results.Chat
	}
	if !given.Changed("template") {
		o.template = m.Setup.Template
	}
}

// truthOf is what is known of a run's answers: nothing, but for the testbed's.
func truthOf(m runstore.Manifest) feedback.Truth {
	if !isTestbed(m) {
		return func(feedback.Pair, string) feedback.Preference { return feedback.Unknown }
	}
	world := testbed.New()
	return func(in feedback.Pair, principle string) feedback.Preference {
		return oracle.Preference(world, in, principle)
	}
}

// session is a model that is open, with the way conversations are written for it: what commands that compute have in
// common. What it opens it closes, in reverse order.
type session struct {
	flags  *modelFlags
	rows   *engineFlags
	log    *log.Logger
	stderr io.Writer
	date   string // that templates see, YYYY-MM-DD

	file        models.Info
	modelSHA    string
	model       *llama.Model
	adapter     adapter // that is set on it; none where it has no path
	templateSHA string
	think       chat.ThinkTags
	vocab       *runner.Vocab
	format      *chat.Formatter
	size        runner.Size
	engine      *engine.Engine
	shown       *progress
	closers     []func() error
	started     time.Time
}

func newSession(flags *modelFlags, rows *engineFlags, stderr io.Writer) session {
	return session{flags: flags, rows: rows, log: newLogger(stderr, flags.verbose), stderr: stderr, started: time.Now()}
}

func newLogger(w io.Writer, verbose bool) *log.Logger {
	l := log.NewWithOptions(w, log.Options{Level: log.InfoLevel})
	if verbose {
		l.SetLevel(log.DebugLevel)
	}
	llama.SetLogger(slog.New(l))
	return l
}

func (s *session) close() error {
	var errs []error
	for len(s.closers) > 0 {
		last := s.closers[len(s.closers)-1]
		s.closers = s.closers[:len(s.closers)-1]
		errs = append(errs, last())
	}
	return errors.Join(errs...)
}

// openModel finds, checks and loads the weights. The file is checked in Go
// before llama.cpp sees it.
func (s *session) openModel(ctx context.Context) error {
	file, err := resolveModel(s.flags.model)
	if err != nil {
		return err
	}
	if err := s.checkDeterministic(); err != nil {
		return err
	}
	s.file = file.Info()
	s.log.Info("loading", "model", file.Path, "MiB", s.file.SizeBytes>>20)
	if s.modelSHA, err = file.SHA256(ctx); err != nil {
		return err
	}
	said := time.Now()
	s.model, err = llama.LoadModel(ctx, file.Path, llama.ModelParams{GPULayers: s.flags.gpuLayers, NoRepack: s.flags.deterministic, Progress: func(done float32) {
		if time.Since(said) > plainEvery {
			said = time.Now()
			s.log.Info("loading", "percent", int(100*done))
		}
	}})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.model.Close)
	return nil
}

// checkDeterministic refuses --deterministic where it cannot be kept.
func (s *session) checkDeterministic() error {
	if !s.flags.deterministic {
		return nil
	}
	if runner.Layout(s.rows.kv) == runner.Unified {
		return usage(errors.New("--deterministic and --kv unified exclude each other: with shared cells a sum's order depends on what lies beside a row"))
	}
	return usage(runner.Deterministic(s.flags.gpuLayers))
}

// openFormat prepares the way conversations are written down.
func (s *session) openFormat(ctx context.Context) error {
	if s.flags.chat == chatPlain {
		return s.newFormatter(ctx, chat.Plain{})
	}
	source, err := s.templateSource()
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(source))
	s.templateSHA = hex.EncodeToString(sum[:])
	s.think, _ = chat.TagsFor(source)
	now, err := time.Parse(time.DateOnly, s.date)
	if err != nil {
		return fmt.Errorf("the date that the chat template is to show: %w", err)
	}
	t, err := startTemplate(s.model.Vocab(), source, now)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, t.Close)
	return s.newFormatter(ctx, chat.NewTemplate(runner.NewRenderer(t)))
}

func (s *session) templateSource() (string, error) {
	if s.flags.template != "" {
		text, err := os.ReadFile(s.flags.template)
		if err != nil {
			return "", usage(fmt.Errorf("reading the chat template: %w", err))
		}
		return string(text), nil
	}
	source, ok := s.model.ChatTemplate("")
	if !ok {
		return "", usage(fmt.Errorf("%s carries no chat template: give one with --template FILE, or --chat plain for a base model", s.file.Path))
	}
	return source, nil
}

func (s *session) newFormatter(ctx context.Context, l chat.Framer) (err error) {
	if s.vocab, err = runner.NewVocab(s.model.Vocab(), s.think); err != nil {
		return err
	}
	if s.format, err = chat.NewFormatter(ctx, l, s.vocab); err != nil {
		return usage(err)
	}
	return nil
}

// kind is how the context computes, without its sizes.
func (s *session) kind() (k runner.Size, err error) {
	o := s.flags
	k.Unified = runner.Layout(s.rows.kv) == runner.Unified
	if k.Threads = o.threads; o.threads == 0 {
		k.Threads = runtime.GOMAXPROCS(0)
	}
	if k.TypeK, err = runner.ChooseKVType(s.rows.kvType, s.file.Quantization, s.model, o.gpuLayers); err != nil {
		return k, usage(err)
	}
	k.FlashAttn, err = runner.FlashAttention(o.gpuLayers)
	return k, err
}

// attachFrom is the shortest preamble that rows read without holding it, where
// that is not measured; 0 where they cannot. Under --deterministic they do not:
// what is shared and what is a row's own are summed apart.
func (s *session) attachFrom(kind runner.Size) (int, error) {
	if s.flags.deterministic {
		return 0, nil
	}
	why, err := runner.WhyCopied(s.model, kind)
	if err != nil || why != "" {
		return 0, err
	}
	return runner.WorthAttaching, nil
}

// demand is what any work on the model asks for.
func (s *session) demand() (d runner.Demand, err error) {
	o := s.flags
	d = runner.Demand{
		Context: o.context, Parallel: s.rows.parallel, Layout: runner.Layout(s.rows.kv),
		Trained: s.model.CtxTrain(), BytesPerToken: s.file.KVBytesPerToken,
	}
	if d.Layout == runner.Auto && (o.deterministic || s.model.SWA() > 0) {
		d.Layout = runner.Streams // shared cells round otherwise, and windows lose them
	}
	d.FreeMemory, err = runner.FreeMemory(s.file.SizeBytes, o.gpuLayers)
	return d, err
}

// fit chooses the sizes of a context of this kind.
func (s *session) fit(d runner.Demand, kind runner.Size) (err error) {
	if s.size, err = runner.Fit(d); err != nil {
		return usage(err)
	}
	s.size.TypeK, s.size.FlashAttn, s.size.Threads = kind.TypeK, kind.FlashAttn, kind.Threads
	return nil
}

// layout names the layout of the KV cache.
func (s *session) layout() string {
	if s.size.Unified {
		return string(runner.Unified)
	}
	return string(runner.Streams)
}

// openEngine makes a context of the size that was chosen, and an engine over it.
func (s *session) openEngine(context.Context) error {
	b, err := runner.NewBackend(s.model, s.size)
	if err != nil {
		return err
	}
	s.closers = append(s.closers, b.Close)
	if a := s.adapter; a.loaded != nil {
		if err := b.SetAdapter(a.loaded, a.scale); err != nil {
			return err
		}
	}
	config := engine.Config{AfterStep: func() {
		if s.shown != nil {
			s.shown.step(s.engine.Stats(), s.engine.Usage())
		}
	}}
	if config.Pins, err = s.preambleCache(b); err != nil {
		return err
	}
	s.engine, err = engine.New(b, s.vocab, config)
	return err
}

// preambleCache is the folder of --preamble-cache, if there is one.
func (s *session) preambleCache(b *runner.Backend) (*engine.PinCache, error) {
	if s.rows.preambleCache == "" {
		return nil, nil
	}
	f, err := b.Fingerprint(s.identity(s.size.TypeK.String()).Weights(), s.flags.gpuLayers)
	if err != nil {
		return nil, err
	}
	return &engine.PinCache{
		Store: kvfile.Dir(s.rows.preambleCache), Fingerprint: f,
		Warn: func(msg string, err error) { s.log.Warn(msg, "why", err) },
	}, nil
}
