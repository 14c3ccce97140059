// Package revise runs the supervised stage of Constitutional AI (Bai et al.
// 2022, section 3): a response, then rounds of critique and revision, each
// under a principle drawn for it.
//
// What the model sees for a first response, and in a round:
//
//	prompt   → response
//	demonstrations · prompt · draft · critique request   → critique
//	demonstrations · prompt · draft · critique request · critique · revision request   → revision
//
// Without critiques the revision request follows the draft. The revision is the next round's draft, unless a check flags it
// or a Gate refuses it. In faithful mode, the paper's, a round starts again from the prompt and the newest draft; in append
// mode it goes on below everything said so far.
package revise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"amend/constitution"
	"amend/engine"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/digest"
	"amend/engine/feedback"
	"amend/engine/fit"
	"amend/engine/sample"
)

// Mode is how a round after the first continues the conversation.
type Mode string

// The modes.
const (
	Faithful Mode = "faithful" // from the prompt and the newest revision; earlier critiques are dropped
	Append   Mode = "append"   // below everything said so far
)

// Modes lists the modes, the default first.
func Modes() []Mode { return []Mode{Faithful, Append} }

// Shown says where demonstrations stand.
type Shown string

// The places.
const (
	BeforeCritique Shown = "critique" // before critiques and revisions; first responses are the model's ordinary answers
	BeforeAll      Shown = "all"      // before first responses too
	BeforeNone     Shown = "none"     // nowhere
)

// Places lists them, the default first.
func Places() []Shown { return []Shown{BeforeCritique, BeforeAll, BeforeNone} }

// UnmarshalText reads a place. Settings of before there were places say true or false.
func (s *Shown) UnmarshalText(text []byte) error {
	switch string(text) {
	case "true":
		*s = BeforeAll
	case "false":
		*s = BeforeNone
	default:
		*s = Shown(text)
	}
	return nil
}

// MarshalText writes a place.
func (s Shown) MarshalText() ([]byte, error) { return []byte(s), nil }

// Settings are what one run does with every row. The key tags say what a field changes (package digest): a turn's key holds
// the token ids that it is asked with, so a field that shows in them is not written to it a second time.
type Settings struct {
	// Rounds are the critiques and revisions of each row; 0 for first responses only. More of them leave earlier turns alone.
	Rounds int `key:"run"`
	// Mode shows in a turn's ids.
	Mode Mode `key:"run"`
	// NoCritique asks for each revision straight away, without a critique before it. That shows in a turn's ids.
	NoCritique bool `key:"run"`
	// Demonstrations shows in a turn's ids.
	Demonstrations Shown `key:"run"`
	// MaxTokens is the limit of a turn. One that ended before it is the same under another (Output.Holds).
	MaxTokens int           `key:"run"`
	Sampling  sample.Params `key:"turn"`
	// Critiques and revisions may have a temperature and a limit of their own; nil and 0: Sampling's, and MaxTokens.
	CritiqueTemperature *float64 `key:"turn"`
	RevisionTemperature *float64 `key:"turn"`
	CritiqueMaxTokens   int      `key:"run"`
	RevisionMaxTokens   int      `key:"run"`
	// Tries is how often a round is tried while a check flags what comes of it: the second time with another seed, then
	// under other principles. After the last one the draft stays. 0 takes flagged revisions, as in the paper.
	Tries int `key:"run"`
	// Seed is of the run. A turn's key holds its own seed, which is derived from it.
	Seed uint64 `key:"run"`
	// System is a system text for every row without one of its own. It shows in a turn's ids.
	System string `key:"run"`
	// Think are the marks around thoughts, which end no turn.
	Think chat.ThinkTags `key:"turn"`
	// CritiqueGrammar, if set, makes the grammar that a critique of a draft must follow. CritiqueGrammarName stands for it in keys.
	CritiqueGrammar func(draft []engine.Token) (sample.Grammar, error) `key:"none"`
	// CritiqueGrammarName names that grammar by its content, the draft aside. Only critiques have it in their keys.
	CritiqueGrammarName string `key:"turn"`
	// LogProbs records how likely the model found each turn, which one that was computed without does not know.
	LogProbs bool `key:"turn"`
	// Draw says which principle a round is under.
	Draw Draw `key:"run"`
	// Fit says how well principles fit, for Draw Fitting: nil, or with no sharpness, they all fit alike. It is learnt
	// once, and then is the run's.
	Fit *fit.Calibration `key:"none"`
	// Revise says which drafts are revised.
	Revise When `key:"run"`
	// Verdicts says what responses are clean, for Draw Targeted and Revise Breached, and for a gate. What its judge is asked has
	// keys of its own.
	Verdicts *Verdicts `key:"run"`
	// Reading says what critiques find something, for Revise Found: nil, or with no slope, all drafts are revised. A gate
	// judges revisions itself, and needs none. It is learnt once, too.
	Reading *Reading `key:"none"`
	// Gate, if set, decides which revisions are taken; else all are. What its judge is asked has keys of its own.
	Gate *Gate `key:"run"`
}

// Loop runs rows through an engine. It is not safe for concurrent use.
type Loop struct {
	format   *chat.Formatter
	doc      *constitution.Document
	settings Settings
	checker  *check.Checker
	shots    []chat.Message // system text and demonstrations, tokenized
	bare     []chat.Message // the demonstrations alone, for rows with a system text of their own
	alone    bool           // verdicts show responses alone
	prefix   []engine.Token // what critiques of rows without a system text of their own start with
	asks     asks

	watch       func(Asked)       // may be nil
	hear        func(text []byte) // may be nil
	memory      Memory            // nil: every turn is computed
	environment string
	planning    bool // nothing is asked of the engine

	writer     Writer            // of the run under way
	scorer     *engine.Engine    // the same, where it is one
	judging    *feedback.Session // of the gate's judge in it
	inspecting *feedback.Session // of the judge of single responses
	reading    *feedback.Session // of what reads critiques

	ctx    context.Context // of what is under way
	ending context.Context // its end lets nothing new begin
	next   func() (Row, bool)
	emit   func(Record) error
	err    error // what stopped the run
	stop   context.CancelFunc
}

// New prepares a loop: it tokenizes the constitution's demonstrations and measures
// the requests.
func New(ctx context.Context, f *chat.Formatter, doc *constitution.Document, s Settings) (*Loop, error) {
	l := &Loop{format: f, doc: doc, settings: s, alone: feedback.LayoutFor(doc, 0) == feedback.ByPrinciple}
	var err error
	if l.checker, err = check.New(shotTexts(doc)); err != nil {
		return nil, err
	}
	shots, err := f.Tokenize(ctx, demonstrations(doc, s.System, !s.NoCritique))
	if err != nil {
		return nil, fmt.Errorf("tokenizing the demonstrations of constitution %s: %w", doc.Name, err)
	}
	l.shots = shots
	if l.bare, err = f.Tokenize(ctx, demonstrations(doc, "", !s.NoCritique)); err != nil {
		return nil, fmt.Errorf("tokenizing the demonstrations of constitution %s: %w", doc.Name, err)
	}
	if s.Rounds > 0 || s.Demonstrations != BeforeCritique {
		if l.prefix, err = f.Prefix(ctx, shots); err != nil {
			return nil, fmt.Errorf("preparing the preamble: %w", err)
		}
	}
	l.asks, err = l.measureAsks(ctx)
	return l, err
}

// Demonstrations is what stands before every row: the system text, and the
// demonstrations as turns of one conversation.
func Demonstrations(doc *constitution.Document, system string) []chat.Message {
	return demonstrations(doc, system, true)
}

// demonstrations leaves the critiques out for a loop that asks for none: else the model would write some where revisions are due.
func demonstrations(doc *constitution.Document, system string, critiques bool) []chat.Message {
	var msgs []chat.Message
	if system != "" {
		msgs = append(msgs, chat.Message{Role: chat.System, Text: system})
	}
	for _, d := range doc.Demonstrations {
		msgs = append(msgs,
			chat.Message{Role: chat.User, Text: d.Prompt}, chat.Message{Role: chat.Assistant, Text: d.Response})
		if critiques {
			msgs = append(msgs, chat.Message{Role: chat.User, Text: d.CritiqueRequest}, chat.Message{Role: chat.Assistant, Text: d.Critique})
		}
		msgs = append(msgs,
			chat.Message{Role: chat.User, Text: d.RevisionRequest}, chat.Message{Role: chat.Assistant, Text: d.Revision})
	}
	return msgs
}

func shotTexts(doc *constitution.Document) []string {
	var texts []string
	for _, d := range doc.Demonstrations {
		texts = append(texts, d.Prompt, d.Response, d.Critique, d.Revision)
	}
	return texts
}

// Prefix are the tokens that all critiques start with, but those of rows with a system text of their own: for engine.Pin,
// before Run. There are none where only first responses are written, and demonstrations stand before critiques. The caller does
// not change them.
func (l *Loop) Prefix() []engine.Token { return l.prefix }

// Writer writes turns: an *engine.Engine, or what has a server write them. It is used from one goroutine. Done of a request
// is called on the one that called Run.
type Writer interface {
	// Submit queues a request. Where it fails Done is not called.
	Submit(*engine.Request) error
	// Run works until no request is left, or ctx ends. Requests that are not finished then get engine.ErrStopped. Its own
	// error ends the run, and the rows that are under way have not failed.
	Run(ctx context.Context) error
}

// Run takes rows from next, keeps up to parallel of them alive in w, and gives
// each finished or failed one to emit, in the order in which they end.
// An error of emit stops the run. When ctx ends, no further turn is asked for, those under way are finished and
// remembered, and Run returns ctx's error; rows that were not finished are not emitted.
func (l *Loop) Run(ctx context.Context, w Writer, parallel int, next func() (Row, bool), emit func(Record) error) error {
	l.ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	defer l.stop()
	l.ending = ctx
	l.writer, l.next, l.emit, l.err = w, next, emit, nil
	e, scores := w.(*engine.Engine)
	if !scores && (l.settings.Gate != nil || l.settings.Verdicts != nil || l.settings.fits() || l.settings.asksCritiques()) {
		return errors.New("a gate, verdicts and draws by fit need log-probabilities of an engine, and turns are written by something else")
	}
	l.scorer = e
	l.startJudges(e)
	for range max(1, parallel) {
		l.startNext()
	}
	err := l.writer.Run(l.ctx)
	if l.err != nil {
		return l.err
	}
	if err == nil {
		err = ctx.Err() // it may end while no turn is under way
	}
	return err
}

// startNext starts rows until one has a turn to wait for.
func (l *Loop) startNext() {
	for l.err == nil && l.context().Err() == nil && !l.isEnding() {
		in, ok := l.next()
		if !ok {
			return
		}
		if r := l.newRow(in); r.begin() {
			return
		}
	}
}

// isEnding reports whether the run is to end with the turns that are under way.
func (l *Loop) isEnding() bool { return l.ending != nil && l.ending.Err() != nil }

// deliver emits a finished row.
func (l *Loop) deliver(rec Record) {
	if l.err != nil {
		return
	}
	if err := l.emit(rec); err != nil {
		l.err = fmt.Errorf("saving row %s: %w", rec.ID, err)
		l.stop()
	}
}

// RowSeed is the seed of a row: it depends on the run's seed and the row's id
// alone, so a row's turns do not change with its place or neighbours.
func RowSeed(run uint64, id string) uint64 { return digest.SeedOf(run, id) }

// TurnSeed is the seed of one turn's random stream.
func TurnSeed(row uint64, round int, kind Kind) uint64 {
	return digest.SeedAt(row, string(kind), round)
}

// asks are the most tokens that requests take, with the layout's text around
// them.
type asks struct{ critique, revision, verdict int }

func (l *Loop) measureAsks(ctx context.Context) (asks, error) {
	var a asks
	c, err := l.format.Open(ctx, append(slices.Clone(l.shots), chat.Message{Role: chat.User, Text: "?"}))
	if err != nil {
		return a, fmt.Errorf("preparing the requests: %w", err)
	}
	for _, p := range l.doc.Principles {
		critique, err := c.Next(ctx, nil, chat.Message{Text: p.CritiqueRequest})
		if err != nil {
			return a, fmt.Errorf("preparing the critique request of principle %s: %w", p.ID, err)
		}
		revision, err := c.Next(ctx, nil, chat.Message{Text: p.RevisionRequest})
		if err != nil {
			return a, fmt.Errorf("preparing the revision request of principle %s: %w", p.ID, err)
		}
		if l.settings.Gate != nil || l.settings.Verdicts != nil {
			verdict, err := c.Next(ctx, nil, verdictRequest(p))
			if err == nil {
				verdict, err = verdict.Answer()
			}
			if err != nil {
				return a, fmt.Errorf("preparing the verdict request of principle %s: %w", p.ID, err)
			}
			a.verdict = max(a.verdict, len(verdict.Tokens)-len(c.Tokens)+feedback.VerdictTokens)
		}
		if l.settings.Reading != nil {
			found, err := c.Next(ctx, nil, chat.Message{Text: feedback.FoundRequest})
			if err == nil {
				found, err = found.Answer()
			}
			if err != nil {
				return a, fmt.Errorf("preparing the question about a critique: %w", err)
			}
			a.revision = max(a.revision, len(found.Tokens)-len(c.Tokens)+feedback.VerdictTokens)
		}
		a.critique = max(a.critique, len(critique.Tokens)-len(c.Tokens))
		a.revision = max(a.revision, len(revision.Tokens)-len(c.Tokens))
	}
	return a, nil
}

// Need is the room that a row can come to need, in tokens.
type Need struct {
	Tokens   int // the most of one sequence: what --ctx must be for the row never to fail for want of room
	Unshared int // the most of one that does not begin with Loop.Prefix
}

// Need is what a row can come to need.
func (l *Loop) Need(ctx context.Context, in Row) (n Need, err error) {
	r := l.newRow(in)
	if err := r.open(); err != nil {
		return n, err
	}
	s := l.settings
	first := s.Limit(Response)
	if in.Response != nil || in.Initial != nil {
		first = len(r.draft)
	}
	draft := max(first, s.Limit(Revision))
	round := l.asks.revision + s.Limit(Revision)
	if !s.NoCritique {
		round += l.asks.critique + s.Limit(Critique)
	}
	rounds := min(1, s.Rounds)
	if s.Mode == Append {
		rounds = s.Rounds
	}
	n.Tokens = len(r.base.Tokens) + draft + rounds*round
	if s.Rounds > 0 {
		n.Tokens = max(n.Tokens, len(r.base.Tokens)+draft+(rounds-1)*round+l.asks.verdict)
	}
	if !l.isShared(r.base) {
		n.Unshared = n.Tokens
	}
	if !l.isShared(r.opening) {
		n.Unshared = max(n.Unshared, len(r.opening.Tokens)+first)
	}
	if s.fits() && s.Rounds > 0 {
		asked, err := r.needFit(draft)
		if err != nil {
			return n, err
		}
		if n.Tokens = max(n.Tokens, asked); !l.isShared(r.opening) {
			n.Unshared = max(n.Unshared, asked)
		}
	}
	if s.Gate != nil && s.Rounds > 0 {
		judged, err := l.needJudged(ctx, in, draft)
		if err != nil {
			return n, err
		}
		n.Tokens, n.Unshared = max(n.Tokens, judged), max(n.Unshared, judged)
	}
	if s.Verdicts != nil && s.Rounds > 0 {
		inspected, err := l.needInspected(ctx, in, draft)
		if err != nil {
			return n, err
		}
		n.Tokens, n.Unshared = max(n.Tokens, inspected), max(n.Unshared, inspected)
	}
	return n, ctx.Err()
}

// isShared reports whether a conversation begins with Prefix.
func (l *Loop) isShared(c *chat.Conversation) bool {
	p := len(l.prefix)
	return len(c.Tokens) > p && slices.Equal(c.Tokens[:p], l.prefix)
}

// Limit is the limit of a turn of a kind, in tokens.
func (s Settings) Limit(kind Kind) int {
	own := map[Kind]int{Critique: s.CritiqueMaxTokens, Revision: s.RevisionMaxTokens}
	return cmp.Or(own[kind], s.MaxTokens)
}

// SamplingOf is how a turn of a kind is drawn.
func (s Settings) SamplingOf(kind Kind) sample.Params {
	p := s.Sampling
	own := map[Kind]*float64{Critique: s.CritiqueTemperature, Revision: s.RevisionTemperature}
	if t := own[kind]; t != nil {
		p.Temperature = *t
	}
	return p
}

// retries reports whether a turn that a check flags is tried again.
func (s Settings) retries() bool { return s.Tries > 0 }

// asksCritiques reports whether it is asked of each critique whether it found something.
func (s Settings) asksCritiques() bool {
	return s.Revise == Found && !s.NoCritique && s.Gate == nil && s.Reading != nil && s.Reading.Calibration.Slope > 0
}

// leavesDeclined reports whether an answer that declines is not revised, unless the prompt is known to be safe. Small models mostly
// make it worse: they answer after all, or decline with fewer reasons (docs/real-models.md).
func (s Settings) leavesDeclined() bool { return s.Revise == Found && s.Gate == nil }

// context is the run's, or before Run the background: what a template's
// rendering may be stopped by.
func (l *Loop) context() context.Context {
	if l.ctx == nil {
		return context.Background()
	}
	return l.ctx
}

// stopped tells the end of the whole run from a row's own failure.
func stopped(err error) bool {
	return errors.Is(err, engine.ErrStopped) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
