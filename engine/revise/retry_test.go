package revise

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
)

// TestFlaggedIsTriedAgain: no flagged revision becomes a draft. What is flagged is tried again, with another seed and then
// under other principles, and after the last try the draft stays.
func TestFlaggedIsTriedAgain(t *testing.T) {
	decided := map[Refusal]int{}
	rapid.Check(t, func(rt *rapid.T) {
		s := testSettings
		s.Rounds, s.Tries = rapid.IntRange(1, 3).Draw(rt, "rounds"), rapid.IntRange(1, 4).Draw(rt, "tries")
		s.Seed = rapid.Uint64().Draw(rt, "seed")
		s.Mode = rapid.SampledFrom(Modes()).Draw(rt, "mode")
		s.Sampling.Temperature = 1
		for _, rec := range newWorld(t, s, 4, false).run(t, inputs(3), 3) {
			stays := 0
			for round := 1; round <= s.Rounds; round++ {
				if checkTries(rt, rec, round, s.Tries, decided) {
					stays++
					if !slices.Contains(rec.Gated.Stayed, round) {
						rt.Errorf("round %d: the draft stayed, and %v says otherwise", round, rec.Gated.Stayed)
					}
				}
			}
			if stays != len(rec.Gated.Stayed) {
				rt.Errorf("the draft stayed in %d rounds, not in %v", stays, rec.Gated.Stayed)
			}
		}
	})
	if decided[Flagged] == 0 || decided[BadCritique] == 0 || decided[""] == 0 {
		t.Errorf("decided was %v", decided)
	}
}

// checkTries checks the tries of a round, and reports whether its draft stayed.
func checkTries(t *rapid.T, rec Record, round, tries int, decided map[Refusal]int) (stayed bool) {
	var last []Turn // of each try the turn that decided
	seeds := map[uint64]bool{}
	for _, turn := range rec.Turns {
		if turn.Round != round {
			continue
		}
		if seeds[turn.Seed] {
			t.Errorf("round %d: two turns have the seed %d", round, turn.Seed)
		}
		seeds[turn.Seed] = true
		if turn.Kind == Revision || isUnusable(turn.Flags) {
			last = append(last, turn)
		}
	}
	for i, turn := range last {
		refused := turn.Gate != nil && turn.Gate.Refused != ""
		if flagged := len(turn.Flags) > 0; turn.Try != i || flagged != refused {
			t.Errorf("round %d, try %d of %d: flags %v, decided %+v", round, turn.Try, i+1, turn.Flags, turn.Gate)
		}
		again := !slices.Contains(last[0].Flags, check.Unchanged)
		if same := turn.Principle == last[0].Principle; i == 1 && same != again || i == 2 && again && same {
			t.Errorf("round %d, try %d is under %s, after %s", round, i, turn.Principle, last[0].Principle)
		}
		if refused {
			decided[turn.Gate.Refused]++
		} else {
			decided[""]++
		}
	}
	stayed = !last[len(last)-1].IsAnswer() || last[len(last)-1].Kind == Critique
	if len(last) > tries || stayed && len(last) < tries {
		t.Errorf("round %d was tried %d times of %d, and the draft stayed: %v", round, len(last), tries, stayed)
	}
	return stayed
}

// TestFirstResponsesWithoutDemonstrations: the demonstrations stand before critiques alone, and before nothing else that a
// run without any asks.
func TestFirstResponsesWithoutDemonstrations(t *testing.T) {
	s := testSettings
	s.System = "Be brief."
	asked := func(shown Shown) map[Kind][]engine.Token {
		s.Demonstrations = shown
		w := newWorld(t, s, 4, false)
		out := map[Kind][]engine.Token{}
		w.loop.Watch(func(a Asked) {
			if a.Round < 2 {
				out[a.Kind] = a.Tokens
			}
		})
		w.run(t, inputs(1), 1)
		if got := w.loop.isShared(&chat.Conversation{Tokens: out[Response]}); got != (shown == BeforeAll) {
			t.Errorf("%s: a response is asked for behind the preamble: %v", shown, got)
		}
		if !w.loop.isShared(&chat.Conversation{Tokens: out[Critique]}) {
			t.Errorf("%s: a critique is not asked for behind the preamble", shown)
		}
		return out
	}
	all, critique := asked(BeforeAll), asked(BeforeCritique)
	if len(critique[Response]) >= len(all[Response]) {
		t.Errorf("a first response is asked with %d tokens without demonstrations, and %d with them", len(critique[Response]), len(all[Response]))
	}
}

// TestDeclinedIsLeft: an answer that declines ends its row, unless its prompt is known to be safe or all drafts are revised.
func TestDeclinedIsLeft(t *testing.T) {
	declines, answers := "I'm sorry, but I can't help with that.", "Mix two parts of flour with one of water."
	for _, c := range []struct {
		name     string
		revise   When
		response string
		tags     []string
		left     bool
	}{
		{"one that declines", Found, declines, nil, true},
		{"one that answers", Found, answers, nil, false},
		{"one that declines what is safe", Found, declines, []string{"Safe"}, false},
		{"one that declines, where all are revised", Always, declines, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := testSettings
			s.Revise, s.MaxTokens = c.revise, 60
			in := inputs(1)[0]
			in.Response, in.Attributes.Tags = &c.response, c.tags
			rec := newWorld(t, s, 2, false).run(t, []Row{in}, 1)[in.ID]
			declined := rec.Gated != nil && rec.Gated.Declined == 1
			if left := len(rec.Turns) == 1; left != c.left || declined != c.left {
				t.Errorf("%d turns, and its record says %+v", len(rec.Turns), rec.Gated)
			}
		})
	}
}

// TestDeclinedRevisionIsLeft: what declines may be a revision, which later rounds leave alone.
func TestDeclinedRevisionIsLeft(t *testing.T) {
	declines := "I'm sorry, but I can't help with that."
	s := testSettings
	s.Revise, s.Rounds = Found, 3
	w := newWorld(t, s, 2, false)
	w.loop.emit = func(Record) error { return nil }
	r := w.loop.newRow(inputs(1)[0])
	r.round = 1
	r.record.Turns = []Turn{{Kind: Response, Text: "Mix it."}, {Kind: Revision, Round: 1, Text: declines}}
	if w.loop.ctx = t.Context(); r.setDraft(Revision, chat.Kept{Text: declines}) || r.record.Gated.Declined != 2 {
		t.Errorf("%+v", r.record.Gated)
	}
}
