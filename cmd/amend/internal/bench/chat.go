package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"amend/cmd/amend/internal/bench/peer"
	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/revise"
)

// chatWork is the text workload as a chat client has it: the conversations of
// revise.Loop in faithful mode, sent as messages, with the same demonstrations and
// the same draws.
type chatWork struct {
	doc  *constitution.Document
	rows []revise.Row
	// settings are the loop's. Of Sampling the temperature counts; no System.
	settings revise.Settings
}

// driveChatPeer has the conversations with a llama-server at address, through its chat endpoint with prompt caching on, and
// returns what that took as the variant called name. Each of concurrency workers takes a row and runs its turns in order.
//
// It fails when the server cannot be reached, answers with an error, or cuts a turn before its limit. The error names the
// row and the turn.
func driveChatPeer(ctx context.Context, address, name string, c chatWork, concurrency int) (Variant, error) {
	s, err := connect(address, name, concurrency)
	if err != nil {
		return Variant{}, err
	}
	defer s.Close()
	start := time.Now()
	clients := make([]chatClient, concurrency)
	err = eachRow(ctx, len(c.rows), concurrency, func(ctx context.Context, worker, row int) error {
		k := &clients[worker]
		k.server, k.chatWork = s, &c
		if err := k.row(ctx, c.rows[row]); err != nil {
			return fmt.Errorf("row %s, %w", c.rows[row].ID, err)
		}
		return nil
	})
	if err != nil {
		return Variant{}, fmt.Errorf("driving %s: %w", name, err)
	}
	wall := time.Since(start)
	var sum chatClient
	for i := range clients {
		sum.timings.Add(clients[i].timings)
		sum.counts.merge(clients[i].counts)
	}
	t := sum.timings
	return textVariant(variant(name, len(c.rows), t.Predicted, t.Computed, t.Reused, wall), sum.counts), nil
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
	*chatWork
	server  *peer.Client
	timings peer.Timings
	counts  TextCounts
}

// row has a row's conversation, from its prompt to its last revision.
func (k *chatClient) row(ctx context.Context, r revise.Row) (err error) {
	base, seed := k.opening(r), revise.RowSeed(k.settings.Seed, r.ID)
	var draft string
	if r.Response != nil {
		draft = *r.Response
	} else if draft, err = k.turn(ctx, base, seed, 0, revise.Response); err != nil {
		return err
	}
	for round := 1; round <= k.settings.Rounds; round++ {
		p, ok := k.doc.Draw(seed, round, r.Attributes)
		if !ok {
			return fmt.Errorf("no principle applies to row %s", r.ID)
		}
		asked := followed(base, draft, p.CritiqueRequest)
		critique, err := k.turn(ctx, asked, seed, round, revise.Critique)
		if err != nil {
			return err
		}
		if draft, err = k.turn(ctx, followed(asked, critique, p.RevisionRequest), seed, round, revise.Revision); err != nil {
			return err
		}
	}
	return nil
}

// opening is a row's conversation before the first response: a system text of
// its own, the demonstrations, its messages.
func (k *chatClient) opening(r revise.Row) []chat.Message {
	var own, rest []chat.Message
	for i, m := range r.Messages {
		if i == 0 && m.Role == chat.System {
			own = append(own, m)
		} else {
			rest = append(rest, m)
		}
	}
	return slices.Concat(own, revise.Demonstrations(k.doc, ""), rest)
}

// followed returns a conversation with the assistant's reply and the next request.
func followed(before []chat.Message, reply, request string) []chat.Message {
	return slices.Concat(before, []chat.Message{{Role: chat.Assistant, Text: reply}, {Role: chat.User, Text: request}})
}

// turn has the server say one turn, counts it and returns its text.
func (k *chatClient) turn(ctx context.Context, asked []chat.Message, rowSeed uint64, round int, kind revise.Kind) (string, error) {
	s, seed := k.settings, uint32(revise.TurnSeed(rowSeed, round, kind))
	got, err := k.server.Chat(ctx, peer.NewChatRequest(asked, s.MaxTokens, s.Sampling.Temperature, seed))
	if err != nil {
		return "", fmt.Errorf("%s of round %d: %w", kind, round, err)
	}
	k.timings.Add(got.Timings)
	k.counts.add(kind, got.Ended)
	k.counts.Drafted += got.Drafted
	k.counts.Accepted += got.Accepted
	return got.Text, nil
}
