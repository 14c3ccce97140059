package app

import (
	"errors"
	"slices"

	"amend/cmd/amend/internal/failure"
	"amend/engine/export"
)

// ExportConfig says what goes into a training set, and how.
type ExportConfig struct {
	Run string `yaml:"run"` // directory of a run, or of labels alone
	Out string `yaml:"out"` // folder of the set, new or empty

	Format   export.Format   `yaml:"format"`   // what the set is for
	Encoding export.Encoding `yaml:"to"`       // how rows are written
	ShardMB  int             `yaml:"shard-mb"` // how large a file may grow, in MB of JSON

	AllRevisions   bool     `yaml:"all-revisions"`   // of SFT: every round's revision, not the last alone
	KeepFirst      bool     `yaml:"keep-first"`      // of SFT: the first response of rows of which no revision passed
	Hygiene        bool     `yaml:"hygiene"`         // leave out turns that a check flagged
	DropUnchanged  bool     `yaml:"drop-unchanged"`  // leave out first responses, those that were found clean too
	Principles     []string `yaml:"principles"`      // keep rows in which one of these was drawn; none: all rows
	MaxChars       int      `yaml:"max-chars"`       // of a conversation; 0: no limit
	NearDuplicates float64  `yaml:"near-duplicates"` // share of common word triples from which on a row is left out; 0: none is

	Decontaminate []string `yaml:"decontaminate"` // evaluation files that no row may share text with

	Test     float64 `yaml:"test"`     // share of prompts in the split test, by the hash of the prompt
	Disjoint bool    `yaml:"disjoint"` // SFT takes one half of the prompts, pairs the other

	Labels    bool    `yaml:"labels"`     // pairs are those that amend feedback labelled
	MinMargin float64 `yaml:"min-margin"` // of Labels: least difference of a label's two probabilities
	MaxFlip   float64 `yaml:"max-flip"`   // of Labels: highest share of principles that change their mind with the order
	Repeat    int     `yaml:"repeat"`     // of Labels: each pair so many times, in proportion to its label; 0: once
}

// everyLabel is the MaxFlip that leaves no label out.
const everyLabel = 1

// DefaultExportConfig makes an SFT set as JSONL, without the turns that a check flagged.
func DefaultExportConfig() ExportConfig {
	return ExportConfig{Format: export.SFT, Encoding: export.JSONL, ShardMB: 256, Hygiene: true, MaxFlip: everyLabel}
}

// Validate checks what the settings alone can tell. Its errors are *failure.FieldError.
func (c ExportConfig) Validate() error {
	var errs []error
	refuse := func(wrong bool, field string, value any, want string) {
		if wrong {
			errs = append(errs, &failure.FieldError{Field: field, Value: value, Want: want})
		}
	}
	refuse(c.Run == "", "run", nil, "is missing: a run directory")
	refuse(c.Out == "", "out", nil, "is missing: the folder of the set")
	refuse(c.MaxChars < 0, "max-chars", c.MaxChars, "must be at least 0; 0 is no limit")
	refuse(!(c.Test >= 0 && c.Test < 1), "test", c.Test, "must be from 0 to below 1") // also NaN
	refuse(c.AllRevisions && c.Format != export.SFT, "all-revisions", nil, "is for sft: a pair has one revision")
	refuse(c.KeepFirst && c.Format != export.SFT, "keep-first", nil, "is for sft: a pair needs a revision")
	refuse(c.KeepFirst && c.DropUnchanged, "keep-first", nil, "excludes drop-unchanged, which leaves first responses out")
	refuse(len(c.Decontaminate) > 0 && c.Format == export.Raw, "decontaminate", nil, "is for training sets: raw traces are not one")
	refuse(slices.Contains(c.Decontaminate, "-"), "decontaminate", "-", "must be a file: the card names it")
	refuse(c.Disjoint && c.Format == export.Raw, "disjoint", nil, "is for training sets: raw traces are not one")
	errs = append(errs,
		failure.OneOf("format", c.Format, export.Formats()...),
		failure.OneOf("to", c.Encoding, export.Encodings()...),
		failure.Range("shard-mb", c.ShardMB, 1, 1<<20),
		failure.Range("near-duplicates", c.NearDuplicates, 0, 1),
		failure.Range("min-margin", c.MinMargin, 0, 1),
		failure.Range("max-flip", c.MaxFlip, 0, 1),
		failure.Range("repeat", c.Repeat, 0, 1000),
		c.validateLabels())
	return errors.Join(errs...)
}

// validateLabels checks the settings that go with labels, or without.
func (c ExportConfig) validateLabels() error {
	var errs []error
	refuse := func(wrong bool, field, want string) {
		if wrong {
			errs = append(errs, &failure.FieldError{Field: field, Want: want})
		}
	}
	if c.Labels {
		refuse(c.Format == export.SFT || c.Format == export.Raw, "labels", "are of pairs: the format must be dpo, kto or reward")
		refuse(c.DropUnchanged, "drop-unchanged", "is for a run's rows: labelled pairs always differ")
		return errors.Join(errs...)
	}
	const without = "is for labels: set labels too"
	refuse(c.MinMargin != 0, "min-margin", without)
	refuse(c.MaxFlip != everyLabel, "max-flip", without)
	refuse(c.Repeat != 0, "repeat", without)
	return errors.Join(errs...)
}

// options are the settings as package export has them.
func (c ExportConfig) options() export.Options {
	return export.Options{
		Format: c.Format, Encoding: c.Encoding, ShardBytes: int64(c.ShardMB) * 1e6,
		AllRevisions: c.AllRevisions, KeepFirst: c.KeepFirst, Hygiene: c.Hygiene, DropUnchanged: c.DropUnchanged, Principles: c.Principles,
		MaxChars: c.MaxChars, NearDuplicates: c.NearDuplicates, TestShare: c.Test, Disjoint: c.Disjoint,
		Labels: c.Labels, MinMargin: c.MinMargin, MaxFlip: c.MaxFlip, Repeat: c.Repeat,
	}
}
