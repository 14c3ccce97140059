package engine_test

import (
	"context"
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
)

// BenchmarkDecodeStep is amend's own share of a decode step: planning, batch
// and sampling for 16 turns, over a model that costs little itself.
func BenchmarkDecodeStep(b *testing.B) {
	m := enginetest.New(engine.Limits{Sequences: 17, Context: b.N + 100, Cells: 17 * (b.N + 100), Batch: 64})
	m.EndBias = -1000
	m.Plain = true
	e, err := engine.New(m, m, engine.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range 16 {
		r := engine.Request{Tokens: []engine.Token{1, engine.Token(i + 1)}, MaxTokens: b.N + 1, Done: func(engine.Result) {}}
		if err := e.Submit(&r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	if err := e.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
}
