package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"amend/cmd/amend/internal/failure"
	"amend/engine/digest"
	"amend/engine/export"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/runstore"
	"amend/engine/selftest"
)

// Export makes a training set of a run's finished rows, or of its labels. The set is complete, or not there. Where it would
// be empty, the report comes with a *failure.RowsError.
func Export(ctx context.Context, env Env, c ExportConfig) (report *export.Report, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	source, run, err := c.source(ctx)
	if run != nil {
		defer func() { err = errors.Join(err, run.Close()) }()
	}
	if err != nil {
		return nil, failure.Input(err)
	}
	if run != nil {
		env.warnUnfinished(c.Run, run)
	}
	o := c.options()
	if run != nil {
		for _, test := range []*selftest.VerdictResult{run.Manifest.Measured.VerdictTest, run.Manifest.Measured.CritiqueTest} {
			o.Distrust = o.Distrust || test != nil && test.Verdict == selftest.Failed
		}
	}
	if o.Evaluations, err = env.evaluations(c.Decontaminate); err != nil {
		return nil, err
	}
	report, err = export.Write(c.Out, source, o)
	if errors.Is(err, export.ErrEmpty) {
		err = &failure.RowsError{Failed: report.Read, Of: report.Read, What: c.unit() + " are left out: no set is written"}
	}
	return report, err
}

// evaluations reads the files that a set is compared with.
func (e Env) evaluations(files []string) (out []*export.Evaluation, err error) {
	for _, file := range files {
		texts, err := prompts.ReadTexts(prompts.Paths{file}, nil)
		if err != nil {
			return nil, failure.Input(err)
		}
		if texts.Records == 0 {
			return nil, failure.Inputf("%s: none of its %d records can be read; the first: %v", file, len(texts.Bad), texts.Bad[0])
		}
		if n := len(texts.Bad); n > 0 {
			e.Log.Warn("records of an evaluation file cannot be read, and nothing is compared with them", "file", file, "records", n, "first", texts.Bad[0].String())
		}
		one := &export.Evaluation{Name: filepath.Base(file), SHA256: texts.SHA256, Records: texts.Records, Unread: len(texts.Bad)}
		for _, prompt := range texts.Prompts {
			one.AddPrompt(prompt)
		}
		for _, text := range texts.Texts {
			one.Add(text)
		}
		out = append(out, one)
	}
	return out, nil
}

// revisionOf is which answer of labelled pairs is the other one's revision: that of the later round.
func revisionOf(s digest.PairSource) feedback.Preference {
	switch {
	case s.Run == "" || s.Samples || s.From == s.To:
		return feedback.Unknown
	case s.From > s.To:
		return feedback.First
	}
	return feedback.Second
}

// unit is what a set is made of.
func (c ExportConfig) unit() string {
	if c.Labels {
		return "pairs"
	}
	return "rows"
}

// warnUnfinished tells of a run that lacks rows: what is made of it is of fewer than its prompts.
func (e Env) warnUnfinished(dir string, run *runstore.Snapshot) {
	if done, all := run.Finished(), run.Manifest.Setup.Rows; done < all {
		e.Log.Warn("the run is not finished: only finished rows count here; amend run --out RUN continues it", "run", dir, "rows", done, "of", all)
	}
}

// source opens what the set is made of. The run is nil where there are labels alone; else the caller closes it, after an
// error too.
func (c ExportConfig) source(ctx context.Context) (export.Source, *runstore.Snapshot, error) {
	if c.Labels {
		return labelledSource(ctx, c.Run)
	}
	run, err := runstore.Look(c.Run)
	if err != nil {
		return export.Source{}, nil, err
	}
	source, err := runSource(ctx, c.Run, run)
	return source, run, err
}

// runSource are the rows of a run.
func runSource(ctx context.Context, dir string, run *runstore.Snapshot) (export.Source, error) {
	text, err := os.ReadFile(filepath.Join(dir, runstore.ConstitutionFile))
	if err != nil && !os.IsNotExist(err) {
		return export.Source{}, fmt.Errorf("reading the run's constitution: %w", err)
	}
	facts, err := runFacts(dir, run.Manifest)
	return export.Source{
		Rows: readable(ctx, run.Rows()), Name: "amend run with " + run.Manifest.Setup.Constitution, Constitution: text, Facts: facts,
	}, err
}

// labelledSource are the labels of a run, or of a folder of their own.
func labelledSource(ctx context.Context, dir string) (export.Source, *runstore.Snapshot, error) {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return export.Source{}, nil, err
	}
	if set.Done < set.Asked {
		return export.Source{}, nil, fmt.Errorf("%s has labels of %d of %d pairs: the amend feedback command that makes them has not finished", dir, set.Done, set.Asked)
	}
	source := export.Source{
		Labelled: readable(ctx, set.Labels), Name: "amend feedback with " + set.Settings.Constitution,
		Constitution: []byte(set.Settings.ConstitutionText), Facts: labelFacts(set.Settings), Revision: revisionOf(set.Settings.Source),
	}
	run, err := runstore.Look(dir)
	if errors.Is(err, runstore.ErrNotARun) { // pairs of a file
		return source, nil, nil
	}
	if err != nil {
		return source, nil, err
	}
	facts, err := runFacts(dir, run.Manifest)
	for _, f := range facts {
		if f.Name != export.ConstitutionFact { // that of the labels counts
			source.Facts = append(source.Facts, f)
		}
	}
	return source, run, err
}
