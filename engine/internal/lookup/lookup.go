// Package lookup guesses what a turn says next from what was said before: the
// tokens that followed the last time the same few tokens came. A revision
// copies most of its draft and a critique quotes it, so such guesses are often
// right (prompt-lookup decoding; Saxena 2023, and Yang et al., arXiv
// 2304.04487).
package lookup

// Token is a token id of the model's vocabulary.
type Token = int32

const (
	// least is how many last tokens must have come before, and most how many
	// are compared to choose among the places where they came.
	least, most = 2, 8
	// places is how many earlier places are looked at.
	places = 8
	// inertia is how much of the rate stays at each guess: some ten guesses back
	// still count.
	inertia = 0.9
	// firstRate is assumed before the first guess.
	firstRate = 0.5
)

// Drafter guesses the next tokens of one turn. It is not safe for concurrent
// use.
type Drafter struct {
	tokens []Token
	last   map[[least]Token]int32 // where a pair of tokens came last: the position after it
	before []int32                // by position: where the pair that ends there came before; 0 for nowhere
	next   int                    // the guess is tokens[next:]; 0 when there is none
	right  float64
}

// New returns a drafter for a turn that continues tokens, which it copies.
func New(tokens []Token) *Drafter {
	d := &Drafter{
		tokens: make([]Token, 0, len(tokens)+256), before: make([]int32, 0, len(tokens)+256),
		last: make(map[[least]Token]int32, len(tokens)), right: firstRate,
	}
	for _, t := range tokens {
		d.push(t)
	}
	d.next = d.find()
	return d
}

// Guess returns up to n tokens that may come next, none when nothing alike came
// before. The slice is valid until the next Add.
func (d *Drafter) Guess(n int) []Token {
	if d.next == 0 || n <= 0 {
		return nil
	}
	return d.tokens[d.next:min(len(d.tokens), d.next+n)]
}

// Rate is how often guesses were right lately, whether they were tried or not.
func (d *Drafter) Rate() float64 { return d.right }

// Add takes the token that did come.
func (d *Drafter) Add(t Token) {
	hit := d.next > 0 && d.tokens[d.next] == t
	if d.next > 0 {
		d.right *= inertia
		if hit {
			d.right += 1 - inertia
		}
	}
	d.push(t)
	if hit && d.next+1 < len(d.tokens) {
		d.next++
		return
	}
	d.next = d.find()
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

// find returns the position after the place that resembles the end most: of
// those with the longest common past the latest.
func (d *Drafter) find() int {
	n := len(d.tokens)
	if n < least {
		return 0
	}
	best, bestLength := 0, 0
	at := int(d.before[n-1])
	for range places {
		if at == 0 {
			break
		}
		if l := d.common(at); l > bestLength {
			best, bestLength = at, l
		}
		at = int(d.before[at-1])
	}
	return best
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
