// Package ngram drafts what a turn says next from what was said before: the
// tokens that followed the last time the same few tokens came. A revision
// copies most of its draft and a critique quotes it, so such drafted tokens are often
// right (prompt-lookup decoding; Saxena 2023, and Yang et al., arXiv
// 2304.04487).
package ngram

// Token is a token id of the model's vocabulary.
type Token = int32

const (
	// least is how many last tokens must have come before, and most how many
	// are compared to choose among the places where they came.
	least, most = 2, 8
	// places is how many earlier places are looked at.
	places = 8
	// inertia is how much of a rate stays at each drafted token: some ten drafted tokens back
	// still count.
	inertia = 0.9
	// Ahead is how many drafted tokens are looked ahead, at most.
	Ahead = 15
)

// rates are how often drafted tokens were right lately, by how many tokens before them
// matched: after a long match the text is most likely a copy and goes on as one.
type rates [4]float64

// firstRates are assumed before the first drafted token.
var firstRates = rates{0.5, 0.65, 0.75, 0.9}

// of returns the rate after a match of n tokens.
func (r *rates) of(n int) *float64 {
	switch {
	case n < 3:
		return &r[0]
	case n < 5:
		return &r[1]
	case n < most:
		return &r[2]
	}
	return &r[3]
}

// Drafter drafts the next tokens of one turn. It is not safe for concurrent
// use.
type Drafter struct {
	tokens   []Token
	last     map[[least]Token]int32 // where a pair of tokens came last: the position after it
	before   []int32                // by position: where the pair that ends there came before; 0 for nowhere
	next     int                    // the drafted token is tokens[next:]; 0 when there is none
	matched  int                    // tokens before next that equal those at the end, as far as they are compared
	rates    rates
	expected [Ahead]float64
}

// New returns a drafter for a turn that continues tokens, which it copies.
func New(tokens []Token) *Drafter {
	d := &Drafter{
		tokens: make([]Token, 0, len(tokens)+256), before: make([]int32, 0, len(tokens)+256),
		last: make(map[[least]Token]int32, len(tokens)), rates: firstRates,
	}
	for _, t := range tokens {
		d.push(t)
	}
	d.next, d.matched = d.find()
	return d
}

// Draft returns up to n tokens that may come next, none when nothing alike came
// before. The slice is valid until the next Add.
func (d *Drafter) Draft(n int) []Token {
	if d.next == 0 || n <= 0 {
		return nil
	}
	return d.tokens[d.next:min(len(d.tokens), d.next+n)]
}

// ExpectedAccepted says how many of the first 1, 2, … up to n drafted tokens will be right on
// average, going by how often this turn's were lately, whether they were tried
// or not. There is one number for each drafted token, up to Ahead. The slice is valid
// until the next call.
func (d *Drafter) ExpectedAccepted(n int) []float64 {
	n = min(len(d.Draft(n)), Ahead)
	sum, all := 0.0, 1.0
	for i := range n {
		all *= *d.rates.of(d.matched + i)
		sum += all
		d.expected[i] = sum
	}
	return d.expected[:n]
}

// Add takes the token that did come.
func (d *Drafter) Add(t Token) {
	hit := d.next > 0 && d.tokens[d.next] == t
	if d.next > 0 {
		rate := d.rates.of(d.matched)
		*rate *= inertia
		if hit {
			*rate += 1 - inertia
		}
	}
	d.push(t)
	if hit && d.next+1 < len(d.tokens) {
		d.next++
		d.matched = min(d.matched+1, most)
		return
	}
	d.next, d.matched = d.find()
}

func (d *Drafter) push(t Token) {
	d.tokens = append(d.tokens, t)
	d.before = append(d.before, 0)
	n := len(d.tokens)
	if n < least {
		return
	}
	key := d.key()
	d.before[n-1] = d.last[key]
	d.last[key] = int32(n)
}

func (d *Drafter) key() (k [least]Token) {
	copy(k[:], d.tokens[len(d.tokens)-least:])
	return k
}

// find returns the position after the place that resembles the end most, of
// those with the longest common past the latest, and how long that is.
func (d *Drafter) find() (next, matched int) {
	n := len(d.tokens)
	if n < least {
		return 0, 0
	}
	at := int(d.before[n-1])
	for range places {
		if at == 0 {
			break
		}
		if l := d.common(at); l > matched {
			next, matched = at, l
		}
		at = int(d.before[at-1])
	}
	return next, matched
}

// common is how many tokens before position at equal those at the end.
func (d *Drafter) common(at int) int {
	n := len(d.tokens)
	l := 0
	for l < most && l < at && d.tokens[at-1-l] == d.tokens[n-1-l] {
		l++
	}
	return l
}
