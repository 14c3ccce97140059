package llama

import (
	"context"
	"errors"
	"strings"
)

// Contents that no template writes by itself: private-use characters around a name.
const (
	probeSystem = "\uE000system\uE001"
	probeUser   = "\uE000user\uE001"
)

// probe finds, once per template, what it accepts. Needs t.turn.
func (t *Template) probe(ctx context.Context) (TemplateCaps, error) {
	if t.caps != nil {
		return *t.caps, nil
	}
	var caps TemplateCaps
	asString, err := t.survives(ctx, probeUser, false)
	if err != nil {
		return caps, err
	}
	if asString < marked {
		// Some templates take contents only as a list of parts, and drop or refuse a plain string.
		asParts, err := t.survives(ctx, probeUser, true)
		if err != nil {
			return caps, err
		}
		caps.TypedContent = asParts > asString
	}
	system, err := t.survives(ctx, probeSystem, caps.TypedContent)
	if err != nil {
		return caps, err
	}
	caps.SystemRole = system > absent
	t.caps = &caps
	return caps, nil
}

// survival is what became of a probe, worst first.
type survival int

const (
	absent survival = iota
	unmarked
	marked
)

// survives renders a user message, after a system message if that is the probe asked for, and looks for the probe.
// A conversation that the template refuses is no error here.
func (t *Template) survives(ctx context.Context, probe string, typed bool) (survival, error) {
	msgs := []TemplateMessage{{Role: "user", Content: probeUser}}
	if probe == probeSystem {
		msgs = append([]TemplateMessage{{Role: "system", Content: probeSystem}}, msgs...)
	}
	segs, err := t.render(ctx, msgs, RenderOptions{AddGenerationPrompt: true}, typed)
	var refused *TemplateError
	if errors.As(err, &refused) && !refused.Syntax {
		return absent, nil
	}
	if err != nil {
		return absent, err
	}
	found := absent
	for _, s := range segs {
		if !strings.Contains(s.Text, probe) {
			continue
		}
		if s.Content {
			return marked, nil
		}
		found = unmarked
	}
	return found, nil
}
