package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/revise"
)

// Chat is the text workload as a chat client has it: the conversations of
// revise.Loop in faithful mode, sent as messages, with the same few-shots and
// the same draws.
type Chat struct {
	Doc  *constitution.Document
	Rows []revise.Row
	// Settings are the loop's. Of Sampling the temperature counts; no System.
	Settings revise.Settings
}

// ChatPeer has the conversations with a llama-server at address, through its
// chat endpoint with prompt caching on, and returns what that took as the
// variant called name. As many workers as concurrency each take a row and run
// its turns in order.
//
// It fails when the server cannot be reached, answers with an error, or cuts a
// turn before its limit; the error names the row and the turn. Nothing but
// address is connected to.
func ChatPeer(ctx context.Context, address, name string, c Chat, concurrency int) (Variant, error) {
	if concurrency < 1 {
		return Variant{}, fmt.Errorf("driving %s with %d requests at once: at least 1 is needed", name, concurrency)
	}
	s, err := newServer(address, "v1/chat/completions", concurrency)
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	defer s.close()
	start := time.Now()
	clients := make([]chatClient, concurrency)
	err = eachRow(ctx, len(c.Rows), concurrency, func(ctx context.Context, worker, row int) error {
		k := &clients[worker]
		k.server, k.Chat = s, &c
		if err := k.row(ctx, c.Rows[row]); err != nil {
			return fmt.Errorf("row %s, %w", c.Rows[row].ID, err)
		}
		return nil
	})
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	wall := time.Since(start)
	var sum chatClient
	for i := range clients {
		sum.timings.add(clients[i].timings)
		sum.counts.merge(clients[i].counts)
	}
	t := sum.timings
	return textVariant(variant(name, len(c.Rows), t.Predicted, t.Computed, t.Reused, wall), sum.counts), nil
}

// merge adds the counts of turns of another client.
func (c *TextCounts) merge(more TextCounts) {
	c.Turns += more.Turns
	c.Critiques += more.Critiques
	c.Revisions += more.Revisions
	c.EndedByItself += more.EndedByItself
	c.Drafted += more.Drafted
	c.Accepted += more.Accepted
}

// chatClient is one worker: it has one conversation at a time.
type chatClient struct {
	*Chat
	server  *server
	timings timings
	counts  TextCounts
}

// row has a row's conversation, from its prompt to its last revision.
func (k *chatClient) row(ctx context.Context, r revise.Row) (err error) {
	base, seed := k.opening(r), revise.RowSeed(k.Settings.Seed, r.ID)
	var draft string
	if r.Response != nil {
		draft = *r.Response
	} else if draft, err = k.turn(ctx, base, seed, 0, revise.Response); err != nil {
		return err
	}
	for round := 1; round <= k.Settings.Rounds; round++ {
		p, ok := k.Doc.Draw(seed, round, r.Attributes)
		if !ok {
			return fmt.Errorf("no principle applies to row %s", r.ID)
		}
		asked := goOn(base, draft, p.CritiqueRequest)
		critique, err := k.turn(ctx, asked, seed, round, revise.Critique)
		if err != nil {
			return err
		}
		if draft, err = k.turn(ctx, goOn(asked, critique, p.RevisionRequest), seed, round, revise.Revision); err != nil {
			return err
		}
	}
	return nil
}

// opening is a row's conversation before the first response: a system text of
// its own, the few-shots, its messages.
func (k *chatClient) opening(r revise.Row) []chat.Message {
	var own, rest []chat.Message
	for i, m := range r.Messages {
		if i == 0 && m.Role == chat.System {
			own = append(own, m)
		} else {
			rest = append(rest, m)
		}
	}
	return slices.Concat(own, revise.FewShots(k.Doc, ""), rest)
}

// goOn returns a conversation with the assistant's reply and the next request.
func goOn(before []chat.Message, reply, request string) []chat.Message {
	return slices.Concat(before, []chat.Message{{Role: chat.Assistant, Text: reply}, {Role: chat.User, Text: request}})
}

// chatRequest is a request to /v1/chat/completions, with llama-server's own
// parameters. Samplers keep to what amend does by default: the temperature
// alone, or with none the likeliest token, which has the least to do.
type chatRequest struct {
	Messages    []chat.Message `json:"messages"`
	MaxTokens   int            `json:"max_tokens"`
	Temperature float64        `json:"temperature"`
	TopK        int            `json:"top_k"`
	Samplers    []string       `json:"samplers"`
	Seed        uint32         `json:"seed"`
	CachePrompt bool           `json:"cache_prompt"`
	Stream      bool           `json:"stream"`
}

// chatAnswer is what of its answer is read.
type chatAnswer struct {
	Choices []struct {
		Message struct {
			Content string `json:"content"`
		} `json:"message"`
		FinishReason string `json:"finish_reason"`
	} `json:"choices"`
	Timings struct {
		timings
		Drafted  int `json:"draft_n"` // where the server guesses tokens
		Accepted int `json:"draft_n_accepted"`
	} `json:"timings"`
}

// turn has the server say one turn, counts it and returns its text.
func (k *chatClient) turn(ctx context.Context, asked []chat.Message, rowSeed uint64, round int, kind revise.Kind) (string, error) {
	s := k.Settings
	request := chatRequest{
		Messages: asked, MaxTokens: s.MaxTokens, Temperature: s.Sampling.Temperature,
		TopK: 1, Samplers: []string{"top_k"},
		Seed: uint32(revise.TurnSeed(rowSeed, round, kind)), CachePrompt: true,
	}
	if s.Sampling.Temperature > 0 {
		request.TopK, request.Samplers = 0, []string{"temperature"}
	}
	var got chatAnswer
	if err := k.server.post(ctx, request, &got); err != nil {
		return "", fmt.Errorf("%s of round %d: %w", kind, round, err)
	}
	text, ended, err := got.read(s.MaxTokens)
	if err != nil {
		return "", fmt.Errorf("%s of round %d: %w", kind, round, err)
	}
	k.timings.add(got.Timings.timings)
	k.counts.add(kind, ended)
	k.counts.Drafted += got.Timings.Drafted
	k.counts.Accepted += got.Timings.Accepted
	return text, nil
}

// read returns the text of an answer and whether the model ended it, after
// checking that it is what was asked for.
func (a *chatAnswer) read(maxTokens int) (text string, ended bool, err error) {
	n := a.Timings.Predicted
	if len(a.Choices) != 1 || n < 1 {
		return "", false, fmt.Errorf("the server gave %d answers and counted %d tokens, in place of 1 answer of at least 1 (is it a llama-server?)", len(a.Choices), n)
	}
	c := a.Choices[0]
	ended = c.FinishReason == "stop"
	if n > maxTokens || (!ended && n < maxTokens) {
		return "", false, fmt.Errorf("asked for up to %d tokens, the server counted %d and ended by %q (is its context too small?)", maxTokens, n, c.FinishReason)
	}
	return c.Message.Content, ended, nil
}
