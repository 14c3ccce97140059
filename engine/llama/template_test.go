package llama

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"log/slog"

	"pgregory.net/rapid"
)

// chatML keeps contents as they are.
const chatML = `{{ bos_token }}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}` +
	`{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`

// testTime is late enough in the day that a zone east of Greenwich has the next date.
var testTime = time.Date(2026, time.November, 24, 23, 30, 0, 0, time.UTC)

// newTestTemplate fills in what opt leaves open, and closes the template after the test.
func newTestTemplate(t testing.TB, source string, opt TemplateOptions) *Template {
	t.Helper()
	if opt.Worker == nil {
		opt.Worker = testWorker(t)
	}
	if opt.Now.IsZero() {
		opt.Now = testTime
	}
	if opt.Limit == 0 {
		opt.Limit = time.Minute // a slow machine is no failure where the limit is not the subject
	}
	opt.BOS, opt.EOS = "<BOS>", "<EOS>"
	tmpl, err := NewTemplate(source, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tmpl.Close(); err != nil {
			t.Error(err)
		}
	})
	return tmpl
}

func user(content string) []TemplateMessage {
	return []TemplateMessage{{Role: "user", Content: content}}
}

func TestTemplateRender(t *testing.T) {
	conversation := []TemplateMessage{{"system", "be brief"}, {"user", "<|im_end|>"}, {"assistant", ""}}
	for name, c := range map[string]struct {
		source string
		opt    RenderOptions
		want   string
	}{
		"ChatML": {
			source: chatML,
			opt:    RenderOptions{AddGenerationPrompt: true},
			want:   "<BOS><|im_start|>system\nbe brief<|im_end|>\n<|im_start|>user\n<|im_end|><|im_end|>\n<|im_start|>assistant\n<|im_end|>\n<|im_start|>assistant\n",
		},
		"no generation prompt":    {source: `{{ add_generation_prompt }}`, want: "False"},
		"thinking undefined":      {source: `{{ enable_thinking is defined }}`, want: "False"},
		"thinking off":            {source: `{{ enable_thinking }}`, opt: RenderOptions{Extra: map[string]any{"enable_thinking": false}}, want: "False"},
		"extra variables":         {source: `{{ a }}{{ b.c }}`, opt: RenderOptions{Extra: map[string]any{"a": "x", "b": map[string]any{"c": 3}}}, want: "x3"},
		"extra beside a content":  {source: `{{ a }}{{ messages[0].content }}`, opt: RenderOptions{Extra: map[string]any{"a": "<|x|>"}}, want: "<|x|>be brief"},
		"joined contents":         {source: `{{ messages[0].content + messages[1].content }}`, want: "be brief<|im_end|>"},
		"trimmed contents":        {source: `{{ (' ' + messages[0].content) | trim }}`, want: "be brief"},
		"a copy through a macro":  {source: `{% macro f(x) %}[{{ x }}]{% endmacro %}{{ f(messages[0].content) }}`, want: "[be brief]"},
		"tojson":                  {source: `{{ messages[0].content | tojson }}`, want: `"be brief"`},
		"join":                    {source: `{{ [messages[0].content] | join('') }}`, want: "be brief"},
		"bytes of a character":    {source: `{{ 'é'[:1] }}`, want: "\xc3"},
		"no tools are undefined":  {source: `{{ tools is defined }}`, want: "False"},
		"the engine's break tags": {source: `{% for m in messages %}{{ m.content }}{% break %}{% endfor %}`, want: "be brief"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newTestTemplate(t, c.source, TemplateOptions{}).Render(t.Context(), conversation, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Contents go in as text, or as a list of parts where only that comes out whole.
func TestTemplateParts(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		typed  bool
		want   string // of a user message
	}{
		"text":                        {chatML, false, "<BOS><|im_start|>user\nhello<|im_end|>\n"},
		"the conversation is refused": {`{% if messages[0].content != 'hello' %}{{ raise_exception('no') }}{% endif %}{{ messages[0].content }}`, false, "hello"},
		"parts only": {
			`{% for m in messages %}{% for p in m.content %}{% if p.type == 'text' %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}`,
			true, "hello",
		},
		"parts, a string is dropped": {
			`{% for m in messages %}{% if m.content is not string %}{{ m.content[0].text }}{% endif %}{% endfor %}`,
			true, "hello",
		},
		"parts, a string is quoted": {
			`{{ messages[-1].content | tojson if messages[-1].content is string else messages[-1].content[0].text }}`,
			true, "hello",
		},
	} {
		t.Run(name, func(t *testing.T) {
			tmpl := newTestTemplate(t, c.source, TemplateOptions{})
			got, err := tmpl.Render(t.Context(), user("hello"), RenderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want || *tmpl.typed != c.typed {
				t.Errorf("got %q, as parts %v, want %q, %v", got, *tmpl.typed, c.want, c.typed)
			}
		})
	}
}

func TestTemplateErrors(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   TemplateError
	}{
		"not Jinja":         {"a\n{% if %}", TemplateError{Syntax: true}},
		"unclosed":          {"{{ messages", TemplateError{Syntax: true}},
		"raised":            {"{{ raise_exception('roles must alternate') }}", TemplateError{Raised: true, Message: "roles must alternate"}},
		"raised in a macro": {"{% macro f() %}{{ raise_exception('no') }}{% endmacro %}{{ f() }}", TemplateError{Raised: true, Message: "no"}},
		"not a function":    {"{{ messages() }}", TemplateError{Message: "Callee is not a function: got Array"}},
		"unknown filter":    {"{{ 'a' | nonesuch }}", TemplateError{Message: "Unknown (built-in) filter 'nonesuch' for type String"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newTestTemplate(t, c.source, TemplateOptions{}).Render(t.Context(), user("x"), RenderOptions{})
			var got *TemplateError
			if !errors.As(err, &got) {
				t.Fatalf("error %v is no *TemplateError", err)
			}
			if got.Syntax != c.want.Syntax || got.Raised != c.want.Raised || got.Message == "" ||
				c.want.Message != "" && got.Message != c.want.Message {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
		})
	}
}

func TestTemplateRefuses(t *testing.T) {
	tmpl := newTestTemplate(t, chatML, TemplateOptions{})
	for name, c := range map[string]struct {
		content string
		opt     RenderOptions
		want    string
	}{
		"content that is not UTF-8":   {"a\xff", RenderOptions{}, "not valid UTF-8"},
		"a variable of its own":       {"a", RenderOptions{Extra: map[string]any{"messages": nil}}, "messages cannot be set"},
		"a variable that is not JSON": {"a", RenderOptions{Extra: map[string]any{"f": func() {}}}, "unsupported type"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := tmpl.Render(t.Context(), user(c.content), c.opt); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	for name, c := range map[string]struct {
		source string
		opt    TemplateOptions
	}{
		"no worker":               {chatML, TemplateOptions{Now: testTime}},
		"no time":                 {chatML, TemplateOptions{Worker: testWorker(t)}},
		"no template":             {" \n", TemplateOptions{Worker: testWorker(t), Now: testTime}},
		"template that is binary": {"\xff", TemplateOptions{Worker: testWorker(t), Now: testTime}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewTemplate(c.source, c.opt); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestTemplateWithoutWorker(t *testing.T) {
	for _, argv := range [][]string{{"/nonexistent/worker"}, {"/bin/false"}, {"/bin/echo", "not gob"}} {
		tmpl := newTestTemplate(t, chatML, TemplateOptions{Worker: argv})
		if _, err := tmpl.Render(t.Context(), user("x"), RenderOptions{}); !errors.Is(err, ErrTemplateWorker) {
			t.Errorf("%v: error %v, want ErrTemplateWorker", argv, err)
		}
	}
}

func TestTemplateClose(t *testing.T) {
	tmpl := newTestTemplate(t, chatML, TemplateOptions{})
	if _, err := tmpl.Render(t.Context(), user("x"), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := tmpl.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tmpl.Render(t.Context(), user("x"), RenderOptions{}); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

// A template that is lost without Close is reported with where it was opened.
func TestTemplateLeak(t *testing.T) {
	var logged headBuffer // as it locks
	SetLogger(slog.New(slog.NewTextHandler(&logged, nil)))
	defer SetLogger(nil)
	if _, err := NewTemplate(chatML, TemplateOptions{Worker: testWorker(t), Now: testTime}); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		runtime.GC()
		if said := logged.String(); strings.Contains(said, "chat template") && strings.Contains(said, "template_test.go:") {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("no report in %q", logged.String())
}

// Renders from several goroutines each get their own result.
func TestTemplateConcurrent(t *testing.T) {
	tmpl := newTestTemplate(t, `{% for m in messages %}{{ m.content }}{% endfor %}`, TemplateOptions{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 20 {
				content := fmt.Sprintf("%d/%d", g, i)
				got, err := tmpl.Render(t.Context(), user(content), RenderOptions{})
				if err != nil || got != content {
					t.Errorf("%s: %q, %v", content, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// The date comes from TemplateOptions.Now in UTC, whatever the clock and the zone.
func TestTemplateDate(t *testing.T) {
	for _, zone := range []string{"UTC", "Asia/Tokyo", "JST-9"} {
		t.Setenv("TZ", zone)
		tmpl := newTestTemplate(t, `{{ strftime_now('%d %b %Y %H:%M') }}`, TemplateOptions{})
		got, err := tmpl.Render(t.Context(), user("x"), RenderOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if want := "24 Nov 2026 23:30"; got != want {
			t.Errorf("TZ=%s: %q, want %q", zone, got, want)
		}
	}
}

// A process group's Ctrl-C reaches the worker as well, whose parent may still have turns to finish.
func TestTemplateWorkerIgnoresInterrupt(t *testing.T) {
	tmpl := newTestTemplate(t, chatML, TemplateOptions{})
	if _, err := tmpl.Render(t.Context(), user("x"), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	worker := tmpl.worker
	if err := worker.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := tmpl.Render(t.Context(), user("x"), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if tmpl.worker != worker {
		t.Error("the worker was replaced")
	}
}

// A worker whose parent is gone ends, even in the middle of a render that would not.
func TestTemplateWorkerEndsWithItsInput(t *testing.T) {
	argv := testWorker(t)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	enc := gob.NewEncoder(in)
	if err := enc.Encode(templateRequest{Source: endless, MemoryLimit: DefaultTemplateMemory}); err != nil {
		t.Fatal(err)
	}
	var reply templateReply
	if err := gob.NewDecoder(out).Decode(&reply); err != nil || reply.Failure != "" {
		t.Fatalf("%+v, %v", reply, err)
	}
	if err := enc.Encode(templateRequest{Document: []byte(`{"messages":[{"role":"user","content":"bad"}]}`)}); err != nil {
		t.Fatal(err)
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}

// The whole of any content comes out.
func TestTemplateKeepsAnyContent(t *testing.T) {
	tmpl := newTestTemplate(t, chatML, TemplateOptions{})
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<|im_start|>", "<|im_end|>\n", "{{", "}}", "{%", "\x00", "\u2028", `\`, `"`, "__input__"}))
	rapid.Check(t, func(t *rapid.T) {
		content := strings.ToValidUTF8(strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), ""), "")
		checkChatML(t, tmpl, content)
	})
}

func FuzzTemplateContent(f *testing.F) {
	for _, seed := range []string{"", "hello", "<|im_end|>\n<|im_start|>system\n", "{{ bos_token }}", "\x00\x01\u2028é😀", `{"__input__":"x"}`} {
		f.Add(seed)
	}
	tmpl := newTestTemplate(f, chatML, TemplateOptions{})
	f.Fuzz(func(t *testing.T, content string) {
		checkChatML(t, tmpl, strings.ToValidUTF8(content, "?"))
	})
}

// fataler is a test or a rapid test.
type fataler interface {
	Fatalf(format string, args ...any)
}

func checkChatML(t fataler, tmpl *Template, content string) {
	got, err := tmpl.Render(context.Background(), user(content), RenderOptions{AddGenerationPrompt: true})
	if err != nil {
		t.Fatalf("%q: %v", content, err)
	}
	if want := "<BOS><|im_start|>user\n" + content + "<|im_end|>\n<|im_start|>assistant\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func BenchmarkTemplateStart(b *testing.B) {
	for b.Loop() {
		tmpl := newTestTemplate(b, chatML, TemplateOptions{})
		if _, err := tmpl.Render(b.Context(), user("x"), RenderOptions{}); err != nil {
			b.Fatal(err)
		}
		if err := tmpl.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTemplateRender(b *testing.B) {
	tmpl := newTestTemplate(b, chatML, TemplateOptions{})
	msgs := []TemplateMessage{{"system", "be brief"}, {"user", "hello"}, {"assistant", "hi"}, {"user", "bye"}}
	for b.Loop() {
		if _, err := tmpl.Render(b.Context(), msgs, RenderOptions{AddGenerationPrompt: true}); err != nil {
			b.Fatal(err)
		}
	}
}
