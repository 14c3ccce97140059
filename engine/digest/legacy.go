package digest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// This file holds the words and layouts that keys have been made of so far. Runs, labels and hidden states on people's disks
// are found by them, so none may change: a new layout gets a new domain.

// Domain is what the string of a key begins with.
type Domain string

// The domains.
const (
	TurnDomain      Domain = "amend turn 1"
	JudgementDomain Domain = "amend judgement 1"
	ReasoningDomain Domain = "amend reasoning 1"
	PromptDomain    Domain = "amend prompt 1"
	StatesDomain    Domain = "amend states 1"
	FitDomain       Domain = "amend fit 1"
	// PreambleDomain is written with its length before it, unlike the others.
	PreambleDomain Domain = "amend KV key 2"
	// PairSeedDomain and PairTextDomain are the same words above two layouts. A seed and a name are never compared, so nothing
	// is mistaken for another thing.
	PairSeedDomain Domain = "amend pair 1"
	PairTextDomain Domain = "amend pair 1"
)

// Weights names what computes: the model by its hash, with the adapter that is set on it. It is the model in the name of a
// saved preamble.
func (m Model) Weights() string {
	if m.AdapterSHA256 == "" {
		return m.SHA256
	}
	return fmt.Sprintf("%s with adapter %s at %v", m.SHA256, m.AdapterSHA256, m.AdapterScale)
}

// Environment names what logits depend on beside the tokens. It is part of the keys of turns and judgements.
func (m Model) Environment() string {
	return fmt.Sprintf("model %s, keys %s, deterministic %v", m.Weights(), m.KeyType, m.Deterministic)
}

// ServerEnvironment is the Environment of turns that a server wrote: the name of its model, as it reports it. What else they
// depend on amend does not know.
func ServerEnvironment(model string) string { return "server's model " + model }

// States names what hidden states depend on beside the tokens, and the way conversations are written. It is part of their
// keys, and stands in files of preference models.
func (m Model) States() string {
	return fmt.Sprintf("model %s, %s %s, deterministic %v", m.Weights(), m.Chat, m.TemplateSHA256, m.Deterministic)
}

// Messages are a conversation: the role and the text of each message.
type Messages = iter.Seq2[string, string]

// Prompt names a conversation.
func Prompt(conversation Messages) string {
	e := New(PromptDomain)
	for role, text := range conversation {
		e.Text(role)
		e.Text(text)
	}
	return e.Sum().Short()
}

// RowID is the id of a row that has none. Neither roles nor texts hold a NUL, so different conversations are hashed from
// different bytes.
func RowID(conversation Messages) string {
	var b []byte
	for role, text := range conversation {
		b = append(b, role+"\x00"+text+"\x00"...)
	}
	return Sum(sha256.Sum256(b)).Short()
}

// Split is the sum that places a conversation among what is trained on and what is held out (package split).
func Split(conversation Messages) Sum {
	var e Encoder
	for role, text := range conversation {
		e.Int(len(text))
		e = append(e, role+"\n"+text...)
	}
	return e.Sum()
}

// SeedOf is a seed that is made of another one and a label, such as a row's of the run's and the row's id.
func SeedOf(seed uint64, label string) uint64 {
	var e Encoder
	e.Number(seed)
	e = append(e, label...)
	return e.Sum().Seed()
}

// The labels of SeedAt and SeedOf beside the kinds of turns and the ids of rows.
const (
	TryLabel       = "try"           // of a turn that is tried again
	DrawsLabel     = "further draws" // of a round's principles after the first
	TargetLabel    = "target"        // of a round's principle among those that are broken
	preambleBefore = "preamble of "  // of the demonstrations that a row sees
)

// SeedAt is a seed that is made of another one, a label and a number, such as a turn's of the row's, its kind and round.
func SeedAt(seed uint64, label string, n int) uint64 {
	var e Encoder
	e.Number(seed)
	e = append(e, label...)
	e.Int(n)
	return e.Sum().Seed()
}

// PreambleSeed decides which demonstrations a row sees.
func PreambleSeed(run uint64, row string) uint64 { return SeedOf(run, preambleBefore+row) }

// PairSeed is the seed of a pair's draws.
func PairSeed(run uint64, id string) uint64 {
	e := New(PairSeedDomain)
	e.Number(run)
	e.Text(id)
	return e.Sum().Seed()
}

// ReasoningSeed is the seed of the nth reasoning about a pair under a principle.
func ReasoningSeed(pair uint64, principle string, swapped bool, n int) uint64 {
	e := New(ReasoningDomain)
	e.Number(pair)
	e.Text(principle)
	if swapped {
		e.Number(1)
	}
	e.Int(n)
	return e.Sum().Seed()
}

// PairSource says which pairs a set of labels is of: those of a file, or those that the rows of a run become. It is written
// as a text, which labels are found by. The zero value is no source.
type PairSource struct {
	Pairs string // the SHA-256 of the file; empty where they are a run's
	Run   string // what made the run: the hash of its results

	Samples      bool // the samples of a prompt are compared; else two rounds of a row
	AgainstFirst bool // all with the first, and not neighbours
	From, To     int  // the rounds

	Rule string // what the labels were made by, where no judge was asked
}

// The words of a PairSource.
const (
	ofPairs      = "pairs "
	ofRun        = "run "
	ofSamples    = "samples"
	againstFirst = " against the first"
	ofRounds     = "rounds "
	andRound     = " and "
	between      = ", "
)

// String writes the source.
func (s PairSource) String() string {
	if s == (PairSource{}) {
		return ""
	}
	parts := []string{ofPairs + s.Pairs}
	if s.Pairs == "" {
		parts = []string{ofRun + s.Run, s.pairing()}
	}
	if s.Rule != "" {
		parts = append(parts, s.Rule)
	}
	return strings.Join(parts, between)
}

// pairing says how rows become pairs.
func (s PairSource) pairing() string {
	switch {
	case s.Samples && s.AgainstFirst:
		return ofSamples + againstFirst
	case s.Samples:
		return ofSamples
	}
	return ofRounds + strconv.Itoa(s.From) + andRound + strconv.Itoa(s.To)
}

// errSource is the cause of an error of ParsePairSource.
var errSource = errors.New("neither pairs HASH nor run HASH with samples or two rounds")

// ParsePairSource reads what String has written.
func ParsePairSource(text string) (PairSource, error) {
	var s PairSource
	first, rest, _ := strings.Cut(text, between)
	if hash, ok := strings.CutPrefix(first, ofPairs); ok {
		s.Pairs, s.Rule = hash, rest
	} else if run, ok := strings.CutPrefix(first, ofRun); ok {
		var pairing string
		pairing, s.Rule, _ = strings.Cut(rest, between)
		s.Run = run
		s.readPairing(pairing)
	}
	if s.String() != text { // also where a number could not be read
		return PairSource{}, fmt.Errorf("the source of labels %q: %w", text, errSource)
	}
	return s, nil
}

// readPairing reads what pairing has written; of other texts it reads something else.
func (s *PairSource) readPairing(text string) {
	s.AgainstFirst = text == ofSamples+againstFirst
	s.Samples = s.AgainstFirst || text == ofSamples
	if rounds, ok := strings.CutPrefix(text, ofRounds); ok {
		from, to, _ := strings.Cut(rounds, andRound)
		s.From, _ = strconv.Atoi(from)
		s.To, _ = strconv.Atoi(to)
	}
}

// MarshalText is String.
func (s PairSource) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParsePairSource.
func (s *PairSource) UnmarshalText(text []byte) (err error) {
	*s, err = ParsePairSource(string(text))
	return err
}
