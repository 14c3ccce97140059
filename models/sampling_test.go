package models

import "testing"

// TestSampling: a file's recommendations are read, and those that it does not give change nothing.
func TestSampling(t *testing.T) {
	of := func(kvs ...KV) (Sampling, bool) {
		f := &File{index: map[string]int{}}
		for i, kv := range kvs {
			f.KVs, f.index[kv.Key] = append(f.KVs, kv), i
		}
		return (&Model{Parts: []*File{f}}).Sampling()
	}
	if s, ok := of(); ok || s != (Sampling{TopP: 1, RepetitionPenalty: 1}) {
		t.Errorf("a file that says nothing recommends %+v, %v", s, ok)
	}
	got, ok := of(
		KV{"general.sampling.temp", float32(0.7)}, KV{"general.sampling.top_k", int32(20)}, KV{"general.sampling.top_p", float32(0.8)},
		KV{"general.sampling.min_p", float32(0.05)}, KV{"general.sampling.penalty_repeat", float32(1.05)}, KV{"general.sampling.penalty_last_n", int32(-1)})
	if want := (Sampling{0.7, 20, 0.8, 0.05, 1.05, 0}); !ok || got != want {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
	if _, ok := of(KV{"general.sampling.top_k", int32(20)}); ok {
		t.Error("a file without a temperature recommends something")
	}
}
