package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// chatServer is a chat server as amend --critic-url finds one. It knows what it answers to each request of the loop, and
// writes down what it was asked, a request a line.
type chatServer struct {
	address string
	models  []string
	most    int // answers until it is gone; -1: it stays
	log     *os.File

	mu    sync.Mutex
	http  *http.Server
	given int
}

// chatServers is the script command
//
//	serve NAME MODEL[,MODEL…] [ANSWERS]
//
// It starts a server, or starts it again where it was, sets $NAME to its address, and writes what it is asked to
// NAME.jsonl. After ANSWERS answers the server is gone.
func chatServers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: serve NAME MODEL[,MODEL…] [ANSWERS]")
	}
	s := &chatServer{address: "127.0.0.1:0", models: strings.Split(args[1], ","), most: -1}
	if was := ts.Getenv(args[0]); was != "" {
		s.address = strings.TrimSuffix(strings.TrimPrefix(was, "http://"), "/v1")
	}
	if len(args) > 2 {
		var err error
		s.most, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	var err error
	s.log, err = os.OpenFile(ts.MkAbs(args[0]+".jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	ts.Check(err)
	listener, err := net.Listen("tcp", s.address)
	ts.Check(err)
	ts.Setenv(args[0], "http://"+listener.Addr().String()+"/v1")
	s.http = &http.Server{Handler: s.handler()}
	go func() { _ = s.http.Serve(listener) }()
	ts.Defer(func() { _, _ = s.http.Close(), s.log.Close() })
}

func (s *chatServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/models", func(w http.ResponseWriter, _ *http.Request) {
		var data []map[string]string
		for _, m := range s.models {
			data = append(data, map[string]string{"id": m})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	})
	mux.HandleFunc("GET /props", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"total_slots":2}`) })
	mux.HandleFunc("POST /v1/chat/completions", s.complete)
	return mux
}

// complete answers a request, unless the server is gone by now.
func (s *chatServer) complete(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if s.most == s.given || err != nil {
		go func() { _ = s.http.Close() }() // closes this connection too
		<-r.Context().Done()
		return
	}
	s.given++
	_, _ = fmt.Fprintf(s.log, "%s\n", body)
	var asked struct {
		Messages []struct {
			Content string `json:"content"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(body, &asked); err != nil || len(asked.Messages) == 0 {
		http.Error(w, "no messages", http.StatusBadRequest)
		return
	}
	text, end := answerTo(asked.Messages[len(asked.Messages)-1].Content, string(body)), "stop"
	switch all := string(body); {
	case strings.Contains(all, "too much"):
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"message":"the request exceeds the available context size"}}`)
		return
	case strings.Contains(all, "go on and on"):
		end = "length"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"choices": []any{map[string]any{"message": map[string]string{"content": text}, "finish_reason": end}},
		"usage":   map[string]int{"prompt_tokens": len(body) / 4, "completion_tokens": len(text) / 4},
	})
}

// answerTo is a critique where one is asked for, else a revision that is not the draft.
func answerTo(request, conversation string) string {
	const revision = "Put the pan on the stove, wait until the water boils, and take it off after seven minutes."
	switch {
	case strings.HasPrefix(request, "What is wrong?"):
		return "The answer leaves out what matters most to the person who asks, and its words are hard to follow."
	case strings.Contains(conversation, revision):
		return "Once the water boils, leave the egg in it for seven minutes, and then hold it under cold water."
	}
	return revision
}
