package kvcache

import "testing"

// BenchmarkMatch looks a conversation up among 16 that share a preamble: what
// admitting a turn costs.
func BenchmarkMatch(b *testing.B) {
	t := New(17)
	query := make([]Token, 1400)
	for i := range query {
		query[i] = Token(i)
	}
	t.Append(16, query[:1024]...)
	t.Compute(16, 1024)
	for s := range 16 {
		t.Fork(16, s, 1024)
		own := append([]Token(nil), query[1024:]...)
		own[20] = Token(10000 + s)
		t.Append(s, own...)
		t.Compute(s, len(query))
	}
	b.ReportAllocs()
	for b.Loop() {
		if hit := t.Match(query, false); hit.Length != 1044 {
			b.Fatal(hit)
		}
	}
}

// BenchmarkTurn is the book-keeping of a turn of 64 tokens: fork, append and
// cut.
func BenchmarkTurn(b *testing.B) {
	t := New(3)
	preamble := make([]Token, 1024)
	t.Append(2, preamble...)
	t.Compute(2, 1024)
	b.ReportAllocs()
	for b.Loop() {
		t.Fork(2, 0, 1024)
		for i := range 64 {
			t.Append(0, Token(i))
			t.Compute(0, 1024+i+1)
		}
		t.Truncate(0, 0)
	}
}
