package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/oracle"
	"amend/engine/runstore"
	"amend/engine/split"
	"amend/models/testbed"
)

// rewardRow is a pair as TRL's reward trainer reads it: conversations of which the last message differs.
type rewardRow struct {
	ID        string    `json:"id"`
	Chosen    []message `json:"chosen"`
	Rejected  []message `json:"rejected"`
	LabelProb float64   `json:"label_prob"` // that chosen is better
}

// writeRewards writes what scripts/train/reward.py trains on and is asked about, the pairs that amend prefer train takes for
// the same: labels of the prompts that it trains on (train.jsonl), and of the prompts that it holds out the pairs of which the
// oracle prefers one (known.jsonl).
func writeRewards(w *testbed.World, run, dir string, heldOut float64) (err error) {
	set, err := runstore.ReadFeedback(run)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var files [2]*json.Encoder
	for i, name := range []string{"train.jsonl", "known.jsonl"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		defer func() {
			if e := f.Close(); err == nil {
				err = e
			}
		}()
		files[i] = json.NewEncoder(f)
	}
	for l, err := range set.Labels {
		if err != nil {
			return err
		}
		to, p := files[0], 1.0
		var first bool
		switch held := split.Of(chat.Texts(l.Pair.Messages)).HeldOut(heldOut); {
		case held:
			better := oracle.Preference(w, l.Pair, "")
			if better != feedback.First && better != feedback.Second {
				continue
			}
			to, first = files[1], better == feedback.First
		case l.Label.P == nil || *l.Label.P == 0.5: // says nothing
			continue
		default:
			first = *l.Label.P > 0.5
			p = max(*l.Label.P, 1-*l.Label.P)
		}
		if err := to.Encode(rewardOf(l.Pair, first, p)); err != nil {
			return fmt.Errorf("writing pair %s: %w", l.Pair.ID, err)
		}
	}
	return nil
}

func rewardOf(pair feedback.Pair, first bool, p float64) rewardRow {
	chosen, rejected := pair.First, pair.Second
	if !first {
		chosen, rejected = rejected, chosen
	}
	with := func(answer string) []message {
		var out []message
		for _, m := range pair.Messages {
			out = append(out, message{m.Role, m.Text})
		}
		return append(out, message{chat.Assistant, answer})
	}
	return rewardRow{pair.ID, with(chosen), with(rejected), p}
}
