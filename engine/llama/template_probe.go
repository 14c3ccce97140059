package llama

import (
	"context"
	"errors"
	"strings"
)

// probe is a content that no template writes by itself: private-use characters around characters that a template
// changes when it quotes or escapes contents.
const probe = "\uE000\"\\<&'\uE001"

// wantsParts reports whether contents have to reach the template as a list of parts: some templates drop or refuse a
// plain string. It asks the template once. Needs t.turn.
func (t *Template) wantsParts(ctx context.Context) (bool, error) {
	if t.typed != nil {
		return *t.typed, nil
	}
	asString, err := t.keepsProbe(ctx, false)
	if err != nil {
		return false, err
	}
	asParts := false
	if !asString {
		if asParts, err = t.keepsProbe(ctx, true); err != nil {
			return false, err
		}
	}
	t.typed = &asParts
	return asParts, nil
}

// keepsProbe reports whether a user's message comes out unchanged. A conversation that the template refuses does not.
func (t *Template) keepsProbe(ctx context.Context, typed bool) (bool, error) {
	msgs := []TemplateMessage{{Role: "user", Content: probe}}
	text, err := t.render(ctx, msgs, RenderOptions{AddGenerationPrompt: true}, typed)
	var refused *TemplateError
	if errors.As(err, &refused) && !refused.Syntax {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return strings.Contains(text, probe), nil
}
