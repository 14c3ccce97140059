package critic

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"amend/cmd/amend/internal/failure"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/sample"
)

// TestAddresses: only this machine is asked, under the three names that it always has.
func TestAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"http://127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1", "http://[::1]:8080": "http://[::1]:8080/v1",
		"http://LocalHost:11434/": "http://LocalHost:11434/v1", "http://localhost/api/v1": "http://localhost/api/v1",
	} {
		if u, err := ParseAddress(text); err != nil || u.String() != want {
			t.Errorf("%s is read as %v, %v", text, u, err)
		}
	}
	for text, want := range map[string]string{
		"http://192.168.0.7:8080/v1":       "192.168.0.7, and prompts and answers stay on this machine",
		"http://127.0.0.1.example.org/v1":  "127.0.0.1.example.org",
		"http://localhost.example.org/v1":  "localhost.example.org",
		"http://0.0.0.0:8080":              "must be 127.0.0.1, [::1] or localhost",
		"http://127.0.0.1@example.org/v1":  "no name, password",
		"http://127.0.0.1:8080/v1?to=else": "query",
		"https://127.0.0.1:8080/v1":        "such as http://127.0.0.1:8080/v1",
		"127.0.0.1:8080":                   "such as http://",
		"http://":                          "such as http://",
		"":                                 "such as http://",
	} {
		if _, err := ParseAddress(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// TestNameThatLeadsElsewhere: a host that resolves to another machine is not connected to, and no proxy is.
func TestNameThatLeadsElsewhere(t *testing.T) {
	for address, here := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "192.0.2.1:80": false, "[2001:db8::1]:80": false, "nonsense": false} {
		if err := onlyHere("tcp", address, nil); (err == nil) != here {
			t.Errorf("%s: %v", address, err)
		}
	}
	client := newClient(time.Second)
	if transport, ok := client.Transport.(*http.Transport); !ok || transport.Proxy != nil {
		t.Error("the client asks a proxy")
	}
	at, err := ParseAddress("http://localhost:9/v1")
	if err != nil {
		t.Fatal(err)
	}
	at.Host = "192.0.2.1:9" // as if localhost led there
	_, err = (&Server{base: at, http: client}).choose(t.Context(), "")
	if !isInput(err) || !strings.Contains(err.Error(), "does not lead to this machine") {
		t.Errorf("%v", err)
	}
}

func isInput(err error) bool {
	var input *failure.InputError
	return errors.As(err, &input)
}

func isStopped(err error) bool {
	var stopped *failure.StoppedError
	return errors.As(err, &stopped)
}

// answering serves a model named big, whose every turn is what answer writes.
func answering(t *testing.T, answer http.HandlerFunc) *Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"data":[{"id":"big"}]}`) })
	mux.HandleFunc("GET /props", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"total_slots":3}`) })
	mux.HandleFunc("POST /v1/chat/completions", answer)
	at := httptest.NewServer(mux)
	t.Cleanup(at.Close)
	s, err := Open(t.Context(), at.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// says is an answer with this status and body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// request asks for a turn after two messages.
func request(t *testing.T) *engine.Request {
	t.Helper()
	f, err := chat.NewFormatter(t.Context(), chat.Messages{}, chat.Messages{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Open(t.Context(), []chat.Message{{Role: chat.System, Text: "Be brief."}, {Role: chat.User, Text: "Why?"}})
	if err != nil {
		t.Fatal(err)
	}
	return &engine.Request{Tokens: c.Tokens, MaxTokens: 40, Seed: 1<<63 + 9, Stop: []string{"###"}, Sampling: sample.Params{Temperature: 0.5, MinP: 0.1, PresencePenalty: 0.25}}
}

// TestQuestion: what is sent, and what of the answer is taken.
func TestQuestion(t *testing.T) {
	var sent string
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		says(200, `{"choices":[{"message":{"content":" So. "},"finish_reason":"stop"}],"usage":{"prompt_tokens":30,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":20}}}`)(w, r)
	})
	got := s.write(t.Context(), request(t))
	if got.Err != nil || got.Text != " So. " || got.End != engine.EndToken || got.Prompt != 30 || got.Reused != 20 || got.Decoded != 5 || got.Tokens != nil {
		t.Errorf("%+v", got)
	}
	want := `{"model":"big","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Why?"}],"max_tokens":40,` +
		`"temperature":0.5,"top_p":1,"top_k":0,"min_p":0.1,"presence_penalty":0.25,"seed":9,"stop":["###"],"stream":false}`
	if sent != want {
		t.Errorf("sent\n%s\nwant\n%s", sent, want)
	}
	if s.Model != "big" || s.Slots != 3 || s.http.Timeout != mostPatience {
		t.Errorf("%s with %d slots", s.Model, s.Slots)
	}
}

// TestEnds: a turn that was cut is known as one, a thought stays a thought, and what is no turn fails with what helps.
func TestEnds(t *testing.T) {
	for _, c := range []struct {
		body, text string
		end        engine.End
		failed     string
	}{
		{`{"choices":[{"message":{"content":"It is"},"finish_reason":"length"}]}`, "It is", engine.EndLength, ""},
		{`{"choices":[{"message":{"content":""},"finish_reason":"stop"}]}`, "", engine.EndToken, ""},
		{`{"choices":[{"message":{"content":"Yes.","reasoning_content":"Hm."},"finish_reason":"stop"}]}`, "<think>\nHm.\n</think>\n\nYes.", engine.EndToken, ""},
		{`{"choices":[{"message":{"content":"Yes.","reasoning":"Hm."},"finish_reason":"stop"}]}`, "<think>\nHm.\n</think>\n\nYes.", engine.EndToken, ""},
		{`{"choices":[{"message":{"content":null,"reasoning":"Hm."},"finish_reason":"length"}]}`, "", "", "gave no answer within 40 tokens, of which it thought for all (3 characters): raise max-tokens"},
		{`{"choices":[{"message":{"content":"x"},"finish_reason":"tool_calls"}]}`, "", "", `ended its answer by "tool_calls"`},
		{`{"choices":[]}`, "", "", "gave 0 answers, not one"},
	} {
		got := answering(t, says(200, c.body)).write(t.Context(), request(t))
		var refused *refusedError
		switch {
		case c.failed == "" && (got.Err != nil || got.Text != c.text || got.End != c.end):
			t.Errorf("%s: %+v", c.body, got)
		case c.failed != "" && (!errors.As(got.Err, &refused) || !strings.Contains(got.Err.Error(), c.failed)):
			t.Errorf("%s: %v", c.body, got.Err)
		}
	}
}

// TestStatuses: what the server says decides whether a row fails alone, the run stops and can be continued, or the command is
// wrong.
func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		kind   string
		want   string
	}{
		{400, `{"error":{"message":"exceeds the context size"}}`, "row", "400 Bad Request: exceeds the context size; if the conversation is too long"},
		{500, `{"error":"bad template"}`, "row", "500 Internal Server Error: bad template"},
		{422, `what?`, "row", "422 Unprocessable Entity: what?"},
		{503, `{"error":{"message":"Loading model"}}`, "stopped", "Loading model; it is not ready"},
		{429, `{}`, "stopped", "lower parallel; what is done is kept, and the same command continues"},
		{401, `{"error":{"message":"Invalid API Key"}}`, "input", "Invalid API Key; it wants a key"},
		{404, `{"error":{"message":"model big not found"}}`, "input", "model big not found; is this the address"},
		{302, ``, "input", "amend follows no redirect"},
		{200, `<html>`, "input", "is it the address of an OpenAI-compatible server?"},
	} {
		s := answering(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://192.0.2.1/")
			says(c.status, c.body)(w, r)
		})
		err := s.write(t.Context(), request(t)).Err
		var refused *refusedError
		if kinds := map[string]bool{"row": errors.As(err, &refused), "stopped": isStopped(err), "input": isInput(err)}; !kinds[c.kind] || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d %s: %v, %v", c.status, c.body, err, kinds)
		}
	}
}

// TestSilence: a server that is gone, and one that does not answer, stop the run, and the error says how to go on.
func TestSilence(t *testing.T) {
	over := make(chan struct{})
	s := answering(t, func(http.ResponseWriter, *http.Request) { <-over })
	defer close(over)
	s.http.Timeout = 50 * time.Millisecond
	if err := s.write(t.Context(), request(t)).Err; !isStopped(err) || !strings.Contains(err.Error(), "gave no answer in 50ms") || !strings.Contains(err.Error(), sameCommand) {
		t.Error(err)
	}
	mute := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(mute.Close)
	if _, err := open(t.Context(), mute.URL, "", 50*time.Millisecond); !isStopped(err) || !strings.Contains(err.Error(), "gave no answer in 50ms") {
		t.Error(err)
	}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err := Open(t.Context(), gone.URL, "")
	if !isStopped(err) || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "start it; what is done is kept") {
		t.Error(err)
	}
}

// TestClosedConnection: servers close connections that they no longer want. That is no server which is gone.
func TestClosedConnection(t *testing.T) {
	n := 0
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 2 {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_ = connection.Close()
			return
		}
		says(200, content("Well."))(w, r)
	})
	for range 2 {
		if got := s.write(t.Context(), request(t)); got.Err != nil {
			t.Error(got.Err)
		}
	}
	if n != 3 {
		t.Errorf("%d requests", n)
	}
}

// TestModels: the name is the server's own, and is asked for where there are several.
func TestModels(t *testing.T) {
	list := `{"data":[{"id":"a"},{"id":"b"}]}`
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			says(200, list)(w, r)
			return
		}
		says(404, "")(w, r)
	}))
	defer at.Close()
	if s, err := Open(t.Context(), at.URL, "b"); err != nil || s.Model != "b" || s.Slots != defaultSlots {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := Open(t.Context(), at.URL, ""); !isInput(err) || !strings.Contains(err.Error(), "has 2 models: choose one by critic-url-model, of a, b") {
		t.Error(err)
	}
	if _, err := Open(t.Context(), at.URL, "c"); !isInput(err) || !strings.Contains(err.Error(), "has no model c: it has a, b") {
		t.Error(err)
	}
	list = `{"data":[]}`
	if _, err := Open(t.Context(), at.URL, ""); !isInput(err) || !strings.Contains(err.Error(), "has no model: load one there") {
		t.Error(err)
	}
}

// content is an answer of one text.
func content(text string) string {
	body, _ := json.Marshal(map[string]any{
		"choices": []any{map[string]any{"message": map[string]string{"content": text}, "finish_reason": "stop"}},
		"usage":   map[string]int{"prompt_tokens": 7, "completion_tokens": 2},
	})
	return string(body)
}

// TestWriter: turns are written side by side, each Done is called on the goroutine of Run, and may ask for more.
func TestWriter(t *testing.T) {
	var together atomic.Int32
	both := make(chan struct{})
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if together.Add(1) == 2 {
			close(both)
		}
		<-both // the first two wait for each other
		says(200, content("Well."))(w, r)
	})
	w := NewWriter(s)
	ended := 0
	var again *engine.Request
	done := func(r engine.Result) {
		ended++
		if r.Err != nil || r.Text != "Well." {
			t.Errorf("%+v", r)
		}
		if ended == 2 {
			_ = w.Submit(again)
		}
	}
	requests := []*engine.Request{request(t), request(t), request(t)}
	for _, r := range requests {
		r.Done = done
	}
	again = requests[2]
	_, _ = w.Submit(requests[0]), w.Submit(requests[1])
	if err := w.Run(t.Context()); err != nil || ended != 3 {
		t.Errorf("%d turns, %v", ended, err)
	}
	if st := w.Stats(); st.Decoded != 6 || st.Prefilled != 21 || st.Reused != 0 {
		t.Errorf("%+v", st)
	}
}

// TestWriterStops: the first turn that finds the server gone ends all others, which have not failed; a refused one is alone.
func TestWriterStops(t *testing.T) {
	run := func(ctx context.Context, handlers ...http.HandlerFunc) (results []engine.Result, err error) {
		answers := make(chan http.HandlerFunc, len(handlers)) // of this run: a question that was called off takes none
		w := NewWriter(answering(t, func(w http.ResponseWriter, r *http.Request) { (<-answers)(w, r) }))
		for _, h := range handlers {
			answers <- h
			r := request(t)
			r.Done = func(res engine.Result) {
				if results = append(results, res); res.Err != nil && len(results) == 1 {
					_ = w.Submit(r) // is not sent
				}
			}
			_ = w.Submit(r)
		}
		return results, w.Run(ctx)
	}
	waits := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // else the end of the connection is not seen
		<-r.Context().Done()
	}
	results, err := run(t.Context(), says(503, `{"error":{"message":"Loading model"}}`), waits)
	if !isStopped(err) || len(results) != 3 {
		t.Errorf("%d results, %v", len(results), err)
	}
	for _, r := range results {
		if !errors.Is(r.Err, engine.ErrStopped) || !strings.Contains(r.Err.Error(), "Loading model") {
			t.Errorf("%v", r.Err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	results, err = run(ctx, func(w http.ResponseWriter, r *http.Request) { cancel(); waits(w, r) })
	if !errors.Is(err, context.Canceled) || len(results) != 2 || !errors.Is(results[0].Err, engine.ErrStopped) {
		t.Errorf("%+v, %v", results, err)
	}
}

// TestRefusedAlone: a request that the server does not take leaves the others alone.
func TestRefusedAlone(t *testing.T) {
	var n atomic.Int32
	s := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			says(400, `{"error":{"message":"too long"}}`)(w, r)
			return
		}
		says(200, content("Well."))(w, r)
	})
	w := NewWriter(s)
	failed, written := 0, 0
	for range 3 {
		r := request(t)
		r.Done = func(res engine.Result) {
			if res.Err == nil {
				written++
				return
			}
			if failed++; errors.Is(res.Err, engine.ErrStopped) || !strings.Contains(res.Err.Error(), "too long") {
				t.Error(res.Err)
			}
		}
		_ = w.Submit(r)
	}
	if err := w.Run(t.Context()); err != nil || failed != 1 || written != 2 {
		t.Errorf("%d failed, %d written, %v", failed, written, err)
	}
}
