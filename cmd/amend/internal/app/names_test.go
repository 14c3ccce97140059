package app

import (
	"testing"

	"amend/engine/digest"
	"amend/engine/enginetest/golden"
	"amend/engine/runstore"
)

// TestGoldenNames pins the texts that keys are made of, as they come of models and settings: runs and labels of an older
// version are found by them. That of hidden states is in the old runs.
func TestGoldenNames(t *testing.T) {
	bare := digest.Model{SHA256: "a model", KeyType: "f16"}
	adapted := digest.Model{SHA256: "a model", AdapterSHA256: "an adapter", AdapterScale: 0.001, KeyType: "q8_0", Deterministic: true}
	lines := []string{bare.Weights(), adapted.Weights(), bare.Environment(), adapted.Environment()}
	for _, c := range []struct {
		results runstore.Results
		config  FeedbackConfig
	}{
		{runstore.Results{Revisions: 2}, FeedbackConfig{}},
		{runstore.Results{Revisions: 2}, FeedbackConfig{Rounds: []int{2, 1}}},
		{runstore.Results{Samples: 4}, FeedbackConfig{}},
		{runstore.Results{Samples: 4}, FeedbackConfig{Pairing: PairFirst}},
		{runstore.Results{Samples: 4, Revisions: 1}, FeedbackConfig{Rounds: []int{0, 1}}},
	} {
		l := labelling{job: feedbackJob{Config: c.config}}
		if _, err := l.pairs(runstore.Manifest{Results: c.results}); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l.job.Source.String())
	}
	golden.Check(t, "names", lines)
}
