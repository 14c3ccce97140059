package llama_test

import (
	"context"
	"math"
	"testing"

	"amend/engine/llama"
)

// agreement sums up how far log-probs are from the reference's, in nats.
type agreement struct {
	tokens int     // log-probs compared
	bias   float64 // mean difference, ours less theirs
	mean   float64 // mean of the differences' sizes
	max    float64 // the largest of these
	maxAt  place

	places int     // most likely tokens compared
	same   int     // those that are the same
	lead   float64 // where they differ, the largest lead of ours over theirs, in logits
	leadAt place
}

// place is a token of a text.
type place struct {
	text  string
	token int
}

// tolerance bounds an agreement. The largest difference tells a wrong place, the
// mean and the bias tell what is wrong a little everywhere.
type tolerance struct {
	bias, mean, max float64
	same            float64 // the least part of most likely tokens that are the same
	lead            float64
}

// within fails the test where the agreement is worse than tol. (The conditions
// are written so that NaN fails.)
func (a agreement) within(t *testing.T, tol tolerance) {
	t.Helper()
	same := float64(a.same) / float64(a.places)
	t.Logf("%d log-probs: differences %.2g in the mean, their sizes %.2g, at most %.2g; %d of %d most likely tokens the same, else %.2g apart",
		a.tokens, a.bias, a.mean, a.max, a.same, a.places, a.lead)
	if !(math.Abs(a.bias) <= tol.bias) {
		t.Errorf("log-probs differ by %g in the mean, want at most %g", a.bias, tol.bias)
	}
	if !(a.mean <= tol.mean) {
		t.Errorf("the mean size of the differences is %g, want at most %g", a.mean, tol.mean)
	}
	if !(a.max <= tol.max) {
		t.Errorf("the largest difference is %g, of the token after %d in %q, want at most %g", a.max, a.maxAt.token, a.maxAt.text, tol.max)
	}
	if !(same >= tol.same) {
		t.Errorf("%d of %d most likely tokens are the same, want %g of them", a.same, a.places, tol.same)
	}
	if !(a.lead <= tol.lead) {
		t.Errorf("after token %d of %q another token than theirs leads by %g, want at most %g", a.leadAt.token, a.leadAt.text, a.lead, tol.lead)
	}
}

// compare computes the texts' log-probs in c and compares them with the
// reference's. As many texts as c has sequences are computed at the same time,
// each with up to chunk tokens in a batch.
func compare(t *testing.T, c *llama.Context, texts []refScore, chunk int) agreement {
	t.Helper()
	var a agreement
	b := newBatch(t, c.NSeqMax()*chunk, 1)
	for len(texts) > 0 {
		n := min(c.NSeqMax(), len(texts))
		a.group(t, c, b, texts[:n], chunk)
		if err := c.ClearMemory(false); err != nil {
			t.Fatal(err)
		}
		texts = texts[n:]
	}
	a.bias /= float64(a.tokens)
	a.mean /= float64(a.tokens)
	return a
}

// group compares texts that are computed together.
func (a *agreement) group(t *testing.T, c *llama.Context, b *llama.Batch, texts []refScore, chunk int) {
	t.Helper()
	for pos := 0; ; pos += chunk {
		b.Clear()
		for seq, text := range texts {
			for i := pos; i < min(pos+chunk, len(text.IDs)); i++ {
				if err := b.Add(text.IDs[i], int32(i), true, int32(seq)); err != nil {
					t.Fatal(err)
				}
			}
		}
		if b.Len() == 0 {
			return
		}
		if err := c.Decode(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, text := range texts {
			for i := pos; i < min(pos+chunk, len(text.IDs)); i++ {
				logits, err := c.Logits(at)
				if err != nil {
					t.Fatal(err)
				}
				a.add(text, i, logits)
				at++
			}
		}
	}
}

// add compares the logits after token i of a text.
func (a *agreement) add(text refScore, i int, logits []float32) {
	ours := best(logits)
	a.places++
	if ours == text.Best[i] {
		a.same++
	} else if lead := float64(logits[ours] - logits[text.Best[i]]); !(lead <= a.lead) {
		a.lead, a.leadAt = lead, place{text.Name, i}
	}
	if i == len(text.LogProbs) {
		return
	}
	a.tokens++
	d := logProb(logits, text.IDs[i+1]) - text.LogProbs[i]
	a.bias += d
	a.mean += math.Abs(d)
	if !(math.Abs(d) <= a.max) {
		a.max, a.maxAt = math.Abs(d), place{text.Name, i}
	}
}

// logProb is the natural logarithm of a token's probability.
func logProb(logits []float32, tok llama.Token) float64 {
	top := float64(logits[best(logits)])
	var sum float64
	for _, l := range logits {
		sum += math.Exp(float64(l) - top)
	}
	return float64(logits[tok]) - top - math.Log(sum)
}
