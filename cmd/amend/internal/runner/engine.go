package runner

import (
	"amend/engine"
	"amend/engine/kvfile"
)

// NewEngine makes a context of a size that was fitted, and an engine over it. cache is the folder of computed preambles,
// if there is one; afterStep is called after every step of the engine. The model closes both.
func (m *Model) NewEngine(s ContextPlan, cache string, afterStep func()) (*engine.Engine, error) {
	b, err := m.NewContext(s)
	if err != nil {
		return nil, err
	}
	m.closers = append(m.closers, b.Close)
	return m.EngineOver(b, cache, engine.Config{AfterStep: afterStep})
}

// EngineOver makes an engine over a context of the model's (NewContext). cache is the folder of computed preambles, if there
// is one.
func (m *Model) EngineOver(b *Backend, cache string, c engine.Config) (*engine.Engine, error) {
	if cache != "" {
		f, err := b.Fingerprint(m.Named(), m.loaded)
		if err != nil {
			return nil, err
		}
		c.Pins = &engine.PinCache{
			Store: kvfile.Dir(cache), Fingerprint: f,
			Warn: func(msg string, err error) { m.options.Log.Warn(msg, "why", err) },
		}
	}
	return engine.New(b, m.vocab, c)
}

// NewStates makes a context that reads hidden states of conversations of up to limit tokens. The model closes it.
func (m *Model) NewStates(limit int, kind ContextPlan) (*States, error) {
	s, err := NewStates(m.model, limit, kind)
	if err != nil {
		return nil, err
	}
	m.closers = append(m.closers, s.Close)
	return s, nil
}
