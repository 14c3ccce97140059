package runner

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine/chat"
	"amend/engine/llama"
	"amend/models"
)

// Weights are what a model computes with.
type Weights struct {
	Model   string // path, or a name that models.Caches knows
	Adapter Adapter
}

// Options are what opening a model needs beside its settings.
type Options struct {
	Log *slog.Logger
	// TemplateWorker starts the process that renders chat templates: its argv. The process calls TemplateWorker.
	TemplateWorker []string
	// Date is what templates show, as YYYY-MM-DD.
	Date string
}

// Model is a model that is loaded, with the way conversations are written for it. It is used by one goroutine at a time.
// What it opens it closes, in reverse order.
type Model struct {
	compute ComputeConfig
	options Options
	weights Weights

	info        models.Info
	sha256      string
	adapterSHA  string
	templateSHA string
	model       *llama.Model
	loaded      llama.ModelParams // how
	adapter     *llama.Adapter    // nil: none
	think       chat.ThinkTags
	vocab       *Vocab
	format      *chat.Formatter
	closers     []func() error
}

// Open loads a model with its adapter and prepares the way conversations are written for it. Errors about what the user
// gave are failure.InputError. The caller calls Close.
func Open(ctx context.Context, w Weights, c ComputeConfig, o Options) (*Model, error) {
	file, err := Find(w.Model)
	if err != nil {
		return nil, err
	}
	m, err := loadFile(ctx, file, c, o)
	if err != nil {
		return nil, err
	}
	m.weights = w
	if err := m.prepare(ctx, file); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// prepare finds out which model this is, loads the adapter, and prepares the way conversations are written.
func (m *Model) prepare(ctx context.Context, file *models.Model) (err error) {
	if m.sha256, err = file.SHA256(ctx); err != nil {
		return err
	}
	if err := m.loadAdapter(ctx); err != nil {
		return err
	}
	return m.OpenFormat(ctx)
}

// OpenVocabulary is Open without weights: the model can write conversations down, and compute nothing.
func OpenVocabulary(ctx context.Context, path string, c ComputeConfig, o Options) (*Model, error) {
	m, err := LoadVocabulary(ctx, path, c, o)
	if err != nil {
		return nil, err
	}
	if err := m.OpenFormat(ctx); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// LoadVocabulary is Load without weights: the model knows its tokens, and computes nothing.
func LoadVocabulary(ctx context.Context, path string, c ComputeConfig, o Options) (*Model, error) {
	file, err := Find(path)
	if err != nil {
		return nil, err
	}
	m := &Model{compute: c, options: o, info: file.Info()}
	if err := m.load(ctx, file.Path, llama.ModelParams{VocabOnly: true}); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// Load loads a model for work on token ids that keeps no results. It does not compute the checksum. The caller calls Close.
func Load(ctx context.Context, path string, c ComputeConfig, o Options) (*Model, error) {
	file, err := Find(path)
	if err != nil {
		return nil, err
	}
	return loadFile(ctx, file, c, o)
}

// loadFile loads a model that Find has found.
func loadFile(ctx context.Context, file *models.Model, c ComputeConfig, o Options) (*Model, error) {
	if c.Deterministic {
		if err := Deterministic(c.GPULayers); err != nil {
			return nil, failure.Input(err)
		}
	}
	m := &Model{compute: c, options: o, info: file.Info()}
	o.Log.Info("loading", "model", models.CachesFrom(os.Getenv).Shown(file.Path), "MiB", m.info.SizeBytes>>20)
	if err := m.load(ctx, file.Path, llama.ModelParams{GPULayers: c.GPULayers, NoRepack: c.Deterministic, Progress: loading(o.Log)}); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// loadingEvery is how often the log says how far a model is loaded.
const loadingEvery = 15 * time.Second

// loading tells the log how far a model is loaded.
func loading(log *slog.Logger) func(done float32) {
	said := time.Now()
	return func(done float32) {
		if time.Since(said) > loadingEvery {
			said = time.Now()
			log.Info("loading", "percent", int(100*done))
		}
	}
}

// load loads the file. The caller closes the model, also after an error.
func (m *Model) load(ctx context.Context, path string, p llama.ModelParams) (err error) {
	if m.model, err = llama.LoadModel(ctx, path, p); err != nil {
		return err
	}
	m.loaded = p
	m.closers = append(m.closers, m.model.Close)
	m.vocab, err = NewVocab(m.model.Vocab(), m.think)
	return err
}

// Find finds a model by a path or a name, and checks in Go, before llama.cpp sees the file, that it can generate text.
// Its errors are about the user's input.
func Find(name string) (*models.Model, error) {
	path, err := models.CachesFrom(os.Getenv).Resolve(name)
	if err != nil {
		return nil, failure.Input(err)
	}
	file, err := models.Open(path)
	if err != nil {
		return nil, failure.Input(err)
	}
	if err := file.Generative(); err != nil {
		return nil, failure.Input(err)
	}
	return file, nil
}

// BaseKey is the metadata of an adapter's file that names its base model, by the SHA-256 of the GGUF that it was trained
// on. scripts/train writes it.
const BaseKey = "amend.base.sha256"

// loadAdapter loads the adapter, if there is one. An adapter that was trained on another model is refused: llama.cpp
// compares shapes only.
func (m *Model) loadAdapter(ctx context.Context) error {
	path := m.weights.Adapter.Path
	if path == "" {
		return nil
	}
	file, err := models.Open(path)
	if err != nil {
		return failure.Inputf("opening the adapter: %w", err)
	}
	if m.adapterSHA, err = file.SHA256(ctx); err != nil {
		return err
	}
	if m.adapter, err = m.model.LoadAdapter(path); err != nil {
		return failure.Inputf("loading the adapter %s: %w", path, err)
	}
	m.closers = append(m.closers, m.adapter.Close)
	switch base, known := m.adapter.Meta(BaseKey); {
	case !known:
		m.options.Log.Warn("the adapter does not say which model it was trained on; only its shapes are known to fit", "adapter", path)
	case base != m.sha256:
		return failure.Inputf("%s was trained on another model, of sha256 %s: %s has %s", path, base, m.info.Path, m.sha256)
	}
	m.options.Log.Info("with adapter", "path", path, "scale", m.weights.Adapter.Scale)
	return nil
}

// Close frees the model and all that was made of it.
func (m *Model) Close() error {
	var errs []error
	for len(m.closers) > 0 {
		last := m.closers[len(m.closers)-1]
		m.closers = m.closers[:len(m.closers)-1]
		errs = append(errs, last())
	}
	return errors.Join(errs...)
}

// Info describes the model's file.
func (m *Model) Info() models.Info { return m.info }

// SHA256 is the checksum of the model's file, empty where Load or LoadVocabulary made it.
func (m *Model) SHA256() string { return m.sha256 }

// Adapter is the adapter that is set, with the checksum of its file; both are zero where there is none.
func (m *Model) Adapter() (a Adapter, sha256 string) { return m.weights.Adapter, m.adapterSHA }

// TemplateSHA256 is the checksum of the chat template's source; empty for ChatPlain.
func (m *Model) TemplateSHA256() string { return m.templateSHA }

// Format writes conversations down.
func (m *Model) Format() *chat.Formatter { return m.format }

// ThinkTags are the marks that the template puts around thoughts.
func (m *Model) ThinkTags() chat.ThinkTags { return m.think }

// Vocab is the model's vocabulary.
func (m *Model) Vocab() *Vocab { return m.vocab }

// VocabularySize is how many tokens there are.
func (m *Model) VocabularySize() int { return m.model.Vocab().Size() }

// Trained is the context that the model was trained on, in tokens.
func (m *Model) Trained() int { return m.model.CtxTrain() }

// CheckGrammar reports what is wrong with a grammar in GBNF, by its text alone.
func CheckGrammar(source string) error { return llama.CheckGrammar(source, grammarRoot) }

// grammarRoot is the rule that a grammar starts at.
const grammarRoot = "root"

// NewGrammar compiles a grammar in GBNF. The model closes it.
func (m *Model) NewGrammar(source string) (*llama.Grammar, error) {
	g, err := m.model.Vocab().NewGrammar(source, grammarRoot)
	if err != nil {
		return nil, err
	}
	m.closers = append(m.closers, g.Close)
	return g, nil
}
