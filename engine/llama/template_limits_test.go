package llama

import (
	"amend/engine/enginetest/need"
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// unless renders body for a message "bad", and the content for others.
func unless(body string) string {
	return `{% if messages[0].content == 'bad' %}` + body + `{% else %}{{ messages[0].content }}{% endif %}`
}

// endless loops for longer than any test: 10^15 rounds.
var endless = unless(`{% set r = range(1000) %}` + strings.Repeat(`{% for i in r %}`, 5) + strings.Repeat(`{% endfor %}`, 5))

// A template that does not end, asks for all memory or overflows the stack gives a typed error, and the next render
// works.
func TestTemplateIsStopped(t *testing.T) {
	for name, c := range map[string]struct {
		body   string
		want   error
		memory bool          // needs the memory limit
		limit  time.Duration // of time, where that is the subject
	}{
		"endless loops":     {body: endless, want: ErrTemplateTimeout, limit: 2 * time.Second},
		"a giant range":     {body: `{% for i in range(1000000000) %}{% endfor %}`, want: ErrTemplateMemory, memory: true},
		"string doubling":   {body: `{% set ns = namespace(s='x') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% endfor %}`, want: ErrTemplateMemory, memory: true},
		"string repetition": {body: `{{ 'x' * 1000000000000 }}`, want: ErrTemplateMemory, memory: true},
		"growing output":    {body: `{% macro f(s) %}{{ f(s + s) }}{% endmacro %}{{ f('xxxxxxxxxxxxxxxx' * 1000000) }}`, want: ErrTemplateMemory, memory: true},
		"endless recursion": {body: `{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}`, want: ErrTemplateWorker},
	} {
		t.Run(name, func(t *testing.T) {
			if c.memory && runtime.GOOS != "linux" {
				need.Unmet(t, need.Linux, "no memory limit on this system")
			}
			tmpl := newTestTemplate(t, unless(c.body), TemplateOptions{MemoryLimit: 256 << 20, Limit: c.limit})
			if _, err := tmpl.Render(t.Context(), user("bad"), RenderOptions{}); !errors.Is(err, c.want) {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			got, err := tmpl.Render(t.Context(), user("good"), RenderOptions{})
			if err != nil || got != "good" {
				t.Fatalf("after it: %q, %v", got, err)
			}
		})
	}
}

// A source that overflows the parser's stack must not take this process down either.
func TestTemplateParserOverflow(t *testing.T) {
	source := "{{ " + strings.Repeat("(", 1<<20) + " }}"
	_, err := newTestTemplate(t, source, TemplateOptions{}).Render(t.Context(), user("x"), RenderOptions{})
	if !errors.Is(err, ErrTemplateWorker) {
		t.Errorf("error %v, want ErrTemplateWorker", err)
	}
}

func TestTemplateContextEnds(t *testing.T) {
	tmpl := newTestTemplate(t, endless, TemplateOptions{})
	if _, err := tmpl.Render(t.Context(), user("good"), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := tmpl.Render(ctx, user("bad"), RenderOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("error %v, want the context's", err)
	}
	got, err := tmpl.Render(t.Context(), user("good"), RenderOptions{})
	if err != nil || got != "good" {
		t.Fatalf("after it: %q, %v", got, err)
	}
	if _, err := tmpl.Render(ctx, user("good"), RenderOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("with an ended context: error %v", err)
	}
}
