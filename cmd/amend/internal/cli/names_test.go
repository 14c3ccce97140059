package cli

import (
	"testing"

	"github.com/spf13/pflag"

	"amend/engine/enginetest/golden"
	"amend/engine/runstore"
)

// TestGoldenNames pins the texts of this package that keys are made of: runs and labels of an older version are found by them.
// That of hidden states is in testdata/oldruns.
func TestGoldenNames(t *testing.T) {
	bare := session{flags: &modelFlags{}, modelSHA: "a model"}
	adapted := session{flags: &modelFlags{deterministic: true}, modelSHA: "a model", adapter: adapter{path: "a.gguf", sha: "an adapter", scale: 0.001}}
	lines := []string{
		bare.identity("f16").Weights(), adapted.identity("q8_0").Weights(),
		bare.identity("f16").Environment(), adapted.identity("q8_0").Environment(),
	}
	for _, c := range []struct {
		results runstore.Results
		flags   []string
	}{
		{runstore.Results{Revisions: 2}, nil},
		{runstore.Results{Revisions: 2}, []string{"--rounds=2,1"}},
		{runstore.Results{Samples: 4}, nil},
		{runstore.Results{Samples: 4}, []string{"--pairing=first"}},
		{runstore.Results{Samples: 4, Revisions: 1}, []string{"--rounds=0,1"}},
	} {
		var o feedbackOptions
		o.given = pflag.NewFlagSet("", pflag.ContinueOnError)
		o.addFlags(o.given)
		if err := o.given.Parse(c.flags); err != nil {
			t.Fatal(err)
		}
		l := labelling{options: o}
		if _, err := l.pairing(runstore.Manifest{Results: c.results}); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l.source.String())
	}
	golden.Check(t, "names", lines)
}
