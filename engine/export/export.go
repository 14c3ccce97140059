package export

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"amend/engine/atomicfile"
	"amend/engine/chat"
	"amend/engine/check"
	"amend/engine/feedback"
	"amend/engine/revise"
	"amend/engine/split"
)

// Options say what goes into a set, and how.
type Options struct {
	Format   Format
	Encoding Encoding

	// AllRevisions takes every revision of a row that passed, not the last alone. Only of SFT.
	AllRevisions bool
	// Distrust takes no first response on the word of verdicts: they failed their test (package selftest).
	Distrust bool
	// KeepFirst takes the first response of a row of which no revision passed. Only of SFT.
	KeepFirst bool
	// Hygiene leaves out turns that a check flagged.
	Hygiene bool
	// DropUnchanged leaves out first responses, those too that a verdict found clean. Pairs never hold such.
	DropUnchanged bool
	// Principles keeps only rows in which one of these was drawn; none keeps all.
	Principles []string
	// MaxChars is the most characters of a conversation; 0 is no limit.
	MaxChars int
	// NearDuplicates is the share of common word triples from which on a row is left out for one before it; 0 keeps all.
	NearDuplicates float64

	// Evaluations are files that no row may share text with.
	Evaluations []*Evaluation

	// Labels makes pairs of Source.Labelled in place of the run's rows: chosen is what the judge prefers. Only of DPO, KTO and
	// Reward.
	Labels bool
	// MinMargin leaves out labels nearer to even odds: those whose two probabilities differ by less, from 0 to 1.
	MinMargin float64
	// MaxFlip leaves out labels of which more than this share of principles changes its mind with the order, from 0 to 1.
	MaxFlip float64
	// Repeat, if above 0, has each pair so many times, in either direction in proportion to its label: what a trainer that
	// knows hard labels only can learn soft ones from.
	Repeat int

	// TestShare of the prompts go to the split "test", by the hash of the prompt.
	TestShare float64
	// Disjoint leaves one half of the prompts to SFT and the other to pairs, by the hash of the prompt.
	Disjoint bool
	// ShardBytes is how large a file may grow, measured as JSON.
	ShardBytes int64
}

// Check reports options that cannot be meant.
func (o *Options) Check() error {
	switch {
	case !slices.Contains(Formats(), o.Format):
		return fmt.Errorf("no format %q: there are %v", o.Format, Formats())
	case !slices.Contains(Encodings(), o.Encoding):
		return fmt.Errorf("no encoding %q: there are %v", o.Encoding, Encodings())
	case o.AllRevisions && o.Format != SFT:
		return fmt.Errorf("all revisions can be had as %s alone: a pair has one revision", SFT)
	case o.KeepFirst && o.Format != SFT:
		return fmt.Errorf("first responses are kept in %s alone: a pair needs a revision", SFT)
	case o.KeepFirst && o.DropUnchanged:
		return errors.New("first responses are either kept or left out")
	case o.Labels && (o.Format == SFT || o.Format == Raw):
		return fmt.Errorf("labels are of pairs, and %s has none: they can be had as %s, %s or %s", o.Format, DPO, KTO, Reward)
	case o.Labels && o.DropUnchanged:
		return errors.New("unchanged revisions are of a run's rows: pairs with labels always differ")
	case !o.Labels && (o.MinMargin != 0 || o.Repeat != 0):
		return errors.New("a least margin and repeats are of labels, and the set has none")
	case !(o.MinMargin >= 0 && o.MinMargin <= 1):
		return fmt.Errorf("a least margin of %v: from 0 to 1", o.MinMargin)
	case !(o.MaxFlip >= 0 && o.MaxFlip <= 1):
		return fmt.Errorf("a highest share of flips of %v: from 0 to 1", o.MaxFlip)
	case o.Repeat < 0 || o.Repeat > 1000:
		return fmt.Errorf("each pair %d times: from 0 to 1000", o.Repeat)
	case o.Disjoint && o.Format == Raw:
		return errors.New("raw traces are no training set that another could be disjoint from")
	case !(o.TestShare >= 0 && o.TestShare < 1): // also NaN
		return fmt.Errorf("a test share of %v: from 0 to below 1", o.TestShare)
	case !(o.NearDuplicates >= 0 && o.NearDuplicates <= 1):
		return fmt.Errorf("near-duplicates from a share of %v on: from 0 to 1", o.NearDuplicates)
	case o.MaxChars < 0:
		return fmt.Errorf("at most %d characters: 0 is no limit", o.MaxChars)
	case o.ShardBytes < 1:
		return fmt.Errorf("files of %d bytes", o.ShardBytes)
	}
	return nil
}

// The names in a set's folder. They are what hubs of datasets look for.
const (
	trainSplit = "train"
	testSplit  = "test"
	dataDir    = "data"
	cardFile   = "README.md"

	constitutionFile = "constitution.yaml"
)

// Report says what a set holds and what was left out.
type Report struct {
	Format   Format         `json:"format"`
	Encoding Encoding       `json:"encoding"`
	Read     int            `json:"read"` // rows of the run, or labelled pairs: those taken and those left out
	Taken    int            `json:"taken"`
	Examples map[string]int `json:"examples"` // rows of the set, by split
	LeftOut  map[Reason]int `json:"left_out"` // of those read, by why
	// Flags counts the rows of a run that are left out for a fault, each under one flag (Faults).
	Flags map[check.Flag]int `json:"flags,omitempty"`
	// Evaluations are the files that rows were compared with.
	Evaluations []*Evaluation `json:"decontaminated,omitempty"`
	Statistics
	Rounds []RoundCount     `json:"rounds"` // of all rows of the run that did not fail
	Files  []string         `json:"files"`  // below the set's folder
	Bytes  int64            `json:"bytes"`  // of all files
	JSON   map[string]int64 `json:"-"`      // bytes as JSON, by split
}

// Empty reports whether the set has no example.
func (r *Report) Empty() bool {
	for _, n := range r.Examples {
		if n > 0 {
			return false
		}
	}
	return true
}

// Source is what a set is made of.
type Source struct {
	Rows         iter.Seq2[revise.Record, error]
	Labelled     iter.Seq2[feedback.Labelled, error] // in place of Rows, with Options.Labels
	Revision     feedback.Preference                 // which answer of Labelled is the other one's revision, where one is
	Name         string                              // of the run, for the card
	Facts        []Fact                              // about the run, for the card
	Constitution []byte                              // composed, as YAML
}

// Fact is a line of the card's table.
type Fact struct{ Name, Value string }

// ConstitutionFact is the name of the fact that says which constitution it was.
const ConstitutionFact = "constitution"

// Write makes a set in the folder out, which must not be there yet or be empty: everything is written beside it and
// moved there when it is complete and on disk. An error leaves nothing. Where nothing is left for a set, the error is
// ErrEmpty, and the report says why.
func Write(out string, from Source, o Options) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := vacant(out); err != nil {
		return nil, err
	}
	if _, err := detector(); err != nil {
		return nil, err
	}
	dir := filepath.Clean(out) + ".partial"
	if err := os.RemoveAll(dir); err != nil { // of a process that died
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("export to %s: %w", out, err), os.RemoveAll(dir))
		}
	}()
	if err := os.MkdirAll(filepath.Join(dir, dataDir), 0o777); err != nil {
		return nil, err
	}
	s := newSet(dir, o)
	if err := s.read(from); err != nil {
		return nil, err
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	if s.report.Empty() {
		return s.report, ErrEmpty
	}
	text, err := card(s.report, from, o)
	if err != nil {
		return nil, err
	}
	if err := atomicfile.WriteFile(filepath.Join(dir, cardFile), text); err != nil {
		return nil, err
	}
	if len(from.Constitution) > 0 {
		if err := atomicfile.WriteFile(filepath.Join(dir, constitutionFile), from.Constitution); err != nil {
			return nil, err
		}
	}
	if err := os.Remove(out); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return nil, err
	}
	if err := os.Rename(dir, out); err != nil {
		return nil, err
	}
	return s.report, atomicfile.SyncDir(filepath.Dir(filepath.Clean(out)))
}

// ErrEmpty is the error for a set without an example: trainers cannot load one.
var ErrEmpty = errors.New("nothing is left for the set, and none is written")

// ErrInUse refuses to write a set into a folder that is not empty.
var ErrInUse = errors.New("has something in it")

// vacant reports a folder that has something in it.
func vacant(out string) error {
	entries, err := os.ReadDir(out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) > 0:
		return fmt.Errorf("%s %w (%s …): give a new folder, or remove that one", out, ErrInUse, entries[0].Name())
	}
	return nil
}

// set is a training set in the making.
type set struct {
	options Options
	splits  [2]*shards // train, test
	survey  *survey
	report  *Report
	dir     string
}

func newSet(dir string, o Options) *set {
	s := &set{options: o, survey: newSurvey(o.NearDuplicates), dir: dir, report: &Report{
		Format: o.Format, Encoding: o.Encoding, Examples: map[string]int{}, LeftOut: map[Reason]int{}, Flags: map[check.Flag]int{},
		JSON: map[string]int64{}, Evaluations: o.Evaluations,
	}}
	for i, name := range []string{trainSplit, testSplit} {
		s.splits[i] = &shards{dir: dir, split: name, encoding: o.Encoding, columns: o.empty(), limit: o.ShardBytes}
	}
	return s
}

// read takes up everything of a source.
func (s *set) read(from Source) error {
	if s.options.Labels {
		for l, err := range from.Labelled {
			if err != nil {
				return err
			}
			prompt := l.Pair.Messages
			if prompt == nil {
				prompt = []chat.Message{} // an empty list in the set, not null
			}
			if err := s.add(prompt, func() ([]candidate, Reason) { return s.options.chooseLabelled(l, prompt, from.Revision) }); err != nil {
				return fmt.Errorf("pair %s: %w", l.Pair.ID, err)
			}
		}
		return nil
	}
	for rec, err := range from.Rows {
		if err != nil {
			return err
		}
		s.report.count(&rec)
		choose := func() ([]candidate, Reason) {
			chosen, why := s.options.choose(&rec)
			countFault(s.report.Flags, &rec, why)
			return chosen, why
		}
		if err := s.add(rec.Messages, choose); err != nil {
			return fmt.Errorf("row %s: %w", rec.ID, err)
		}
	}
	return nil
}

// add takes up a row.
func (s *set) add(prompt []chat.Message, choose func() ([]candidate, Reason)) error {
	s.report.Read++
	at := place(prompt)
	if s.options.Disjoint && at.FirstPart() != (s.options.Format == SFT) {
		s.report.LeftOut[OtherPart]++
		return nil
	}
	candidates, why := choose()
	if why != "" {
		s.report.LeftOut[why]++
		return nil
	}
	to := s.splits[0]
	if at.HeldOut(s.options.TestShare) {
		to = s.splits[1]
	}
	taken, left, err := s.take(candidates, to)
	if err != nil {
		return err
	}
	if taken {
		s.report.Taken++
		return nil
	}
	s.report.LeftOut[left]++
	if left == Contaminated {
		s.countSources(candidates)
	}
	return nil
}

// take writes those of a row's candidates that pass the filters, and says why the last one does not where none does.
func (s *set) take(candidates []candidate, to *shards) (taken bool, left Reason, err error) {
	var why Reason // of the newest candidate that is no repeat
	for _, c := range candidates {
		if !c.again {
			if why = s.filter(c); why != "" {
				left = why
			}
		}
		if why != "" {
			continue
		}
		taken = true
		for _, row := range c.rows(&s.options) {
			if err := to.write(row); err != nil {
				return taken, left, err
			}
		}
	}
	return taken, left, nil
}

// filter says which filter a candidate does not pass. One that passes all is described.
func (s *set) filter(c candidate) Reason {
	if why := s.options.refuse(c); why != "" || s.options.Format == Raw {
		return why
	}
	like := s.survey.seen.add(c.text())
	if like != unlike && s.options.NearDuplicates > 0 {
		return NearDuplicate
	}
	s.survey.add(c, &s.options, like)
	return ""
}

// countSources counts a row with each evaluation file that it shares text with.
func (s *set) countSources(candidates []candidate) {
	for _, e := range s.options.Evaluations {
		if slices.ContainsFunc(candidates, func(c candidate) bool { return slices.Contains(s.options.sources(c), e) }) {
			e.LeftOut++
		}
	}
}

func (s *set) finish() error {
	for _, split := range s.splits {
		names, err := split.finish()
		if err != nil {
			return err
		}
		if len(names) > 0 {
			s.report.Examples[split.split] = split.Rows
			s.report.JSON[split.split] = split.Bytes
		}
		s.report.Files = append(s.report.Files, names...)
	}
	for _, name := range s.report.Files {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		s.report.Bytes += info.Size()
	}
	s.report.Statistics = s.survey.result()
	return nil
}

// place is where a prompt lies. Rows with the same prompt are never on both sides.
func place(prompt []chat.Message) split.Place { return split.Of(chat.Texts(prompt)) }
