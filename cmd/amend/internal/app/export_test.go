package app

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"amend/cmd/amend/internal/failure"
	"amend/engine/digest"
	"amend/engine/export"
	"amend/engine/feedback"
	"amend/engine/runstore"
)

// exported makes a set of an old run and returns its report and its card.
func exported(t *testing.T, c ExportConfig) (*export.Report, string) {
	t.Helper()
	report, err := Export(t.Context(), quiet(), c)
	if err != nil {
		t.Fatal(err)
	}
	card, err := os.ReadFile(filepath.Join(c.Out, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return report, string(card)
}

func TestExportOldRuns(t *testing.T) {
	oldRuns(t)
	c := DefaultExportConfig()
	c.Run, c.Out, c.Hygiene = "plain", "sft", false
	report, card := exported(t, c)
	if report.Read != 3 || report.Examples["train"] != 3 || !strings.Contains(card, "| loop | append, 2 revisions |") {
		t.Errorf("%+v\n%s", report, card)
	}
	c.Run, c.Out, c.Format, c.Encoding = "gated", "dpo", export.DPO, export.Parquet
	report, card = exported(t, c)
	if report.Read != 5 || report.Encoding != export.Parquet || !strings.Contains(card, "through a gate (2 tries, margin 0, veto 0)") {
		t.Errorf("%+v\n%s", report, card)
	}
	c.Run, c.Out, c.Labels = "staged", "labelled", true
	report, card = exported(t, c)
	if report.Read != 3 || !strings.Contains(card, "| critic | testbed, ") || !strings.Contains(card, "| judge | sha256 ") {
		t.Errorf("%+v\n%s", report, card)
	}
	c.Run, c.Out = "labels", "alone"
	report, card = exported(t, c)
	if report.Read != 2 || strings.Contains(card, "| loop |") || !strings.Contains(card, "| reasonings | 1 before each answer") {
		t.Errorf("%+v\n%s", report, card)
	}
}

// The card says whether the same command gives the same text, and how tokens were drawn.
func TestRunFacts(t *testing.T) {
	results := runstore.Results{Temperature: 0.7, TopP: 0.9, MinP: 0.05, TopK: 40, RepetitionPenalty: 1.1, MaxTokens: 256}
	if got := samplingFact(results); got != "temperature 0.7, top-p 0.9, min-p 0.05, top-k 40, repetition penalty 1.1; at most 256 tokens a turn" {
		t.Error(got)
	}
	own := 0.3
	results = runstore.Results{Temperature: 1, TopP: 1, MaxTokens: 64, CritiqueTemperature: &own, RevisionTemperature: &own, RevisionMaxTokens: 96}
	if got := samplingFact(results); got != "temperature 1 (critiques 0.3, revisions 0.3), top-p 1, min-p 0; at most 64 tokens a turn (revisions 96)" {
		t.Error(got)
	}
	exact, inexact := runstore.Setup{TensorTypes: []string{"Q8_0", "F32"}}, runstore.Setup{TensorTypes: []string{"Q4_K", "Q6_K", "F32"}}
	gpu := exact
	gpu.FlashAttention = true
	for want, m := range map[string]runstore.Manifest{
		"gives the same text on such a machine":   {Setup: exact},
		"with weights in Q4_K a text may depend":  {Setup: inexact},
		"gives the same text (`--deterministic`)": {Setup: inexact, Results: runstore.Results{Deterministic: true}},
		"computed on a GPU":                       {Setup: gpu},
		"not known":                               {},
	} {
		if got := repeatableFact(m); !strings.Contains(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Of two rounds the later one is the revision; samples and files have none.
func TestRevisionOf(t *testing.T) {
	for source, want := range map[digest.PairSource]feedback.Preference{
		{Run: "r", From: 0, To: 2}: feedback.Second, {Run: "r", From: 2, To: 1}: feedback.First,
		{Run: "r", Samples: true}: feedback.Unknown, {Pairs: "p"}: feedback.Unknown,
	} {
		if got := revisionOf(source); got != want {
			t.Errorf("%+v: %q, want %q", source, got, want)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	oldRuns(t)
	c := DefaultExportConfig()
	c.Run, c.Out = "nowhere", "set"
	if _, err := Export(t.Context(), quiet(), c); !errors.Is(err, runstore.ErrNotARun) {
		t.Error(err)
	}
	c.Run, c.Out = "plain", "gated"
	if _, err := Export(t.Context(), quiet(), c); !errors.Is(err, export.ErrInUse) {
		t.Error(err)
	}
	c.Run, c.Out, c.Format, c.Labels = "plain", "set", export.DPO, true
	if _, err := Export(t.Context(), quiet(), c); !errors.Is(err, runstore.ErrNotARun) {
		t.Errorf("a run without labels: %v", err)
	}
	if _, err := os.Stat("set"); !os.IsNotExist(err) {
		t.Errorf("a refused export leaves something: %v", err)
	}
}

// Whatever Validate lets pass, package export takes, and what it refuses is named by its setting.
func TestExportConfigValidates(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*ExportConfig)
		field  string // that is refused; empty: none
	}{
		"the defaults": {func(*ExportConfig) {}, ""},
		"labels": {func(c *ExportConfig) {
			c.Labels, c.Format, c.MinMargin, c.MaxFlip, c.Repeat = true, export.KTO, 1, 0, 1000
		}, ""},
		"a share":                            {func(c *ExportConfig) { c.Test, c.NearDuplicates = 0.99, 1 }, ""},
		"no run":                             {func(c *ExportConfig) { c.Run = "" }, "run"},
		"no folder":                          {func(c *ExportConfig) { c.Out = "" }, "out"},
		"no such format":                     {func(c *ExportConfig) { c.Format = "spo" }, "format"},
		"no such encoding":                   {func(c *ExportConfig) { c.Encoding = "xml" }, "to"},
		"all revisions as pairs":             {func(c *ExportConfig) { c.AllRevisions, c.Format = true, export.DPO }, "all-revisions"},
		"first responses kept":               {func(c *ExportConfig) { c.KeepFirst = true }, ""},
		"kept in pairs":                      {func(c *ExportConfig) { c.KeepFirst, c.Format = true, export.DPO }, "keep-first"},
		"kept and dropped":                   {func(c *ExportConfig) { c.KeepFirst, c.DropUnchanged = true, true }, "keep-first"},
		"raw decontaminated":                 {func(c *ExportConfig) { c.Format, c.Decontaminate = export.Raw, []string{"e"} }, "decontaminate"},
		"an evaluation set that is piped in": {func(c *ExportConfig) { c.Decontaminate = []string{"-"} }, "decontaminate"},
		"raw disjoint":                       {func(c *ExportConfig) { c.Disjoint, c.Format = true, export.Raw }, "disjoint"},
		"all in test":                        {func(c *ExportConfig) { c.Test = 1 }, "test"},
		"NaN in test":                        {func(c *ExportConfig) { c.Test = math.NaN() }, "test"},
		"more than all duplicates":           {func(c *ExportConfig) { c.NearDuplicates = 1.1 }, "near-duplicates"},
		"negative characters":                {func(c *ExportConfig) { c.MaxChars = -1 }, "max-chars"},
		"empty files":                        {func(c *ExportConfig) { c.ShardMB = 0 }, "shard-mb"},
		"labels as sft":                      {func(c *ExportConfig) { c.Labels = true }, "labels"},
		"labels without unchanged":           {func(c *ExportConfig) { c.Labels, c.Format, c.DropUnchanged = true, export.DPO, true }, "drop-unchanged"},
		"a margin without labels":            {func(c *ExportConfig) { c.MinMargin = 0.1 }, "min-margin"},
		"flips without labels":               {func(c *ExportConfig) { c.MaxFlip = 0.5 }, "max-flip"},
		"repeats without labels":             {func(c *ExportConfig) { c.Repeat = 2 }, "repeat"},
		"a margin above one":                 {func(c *ExportConfig) { c.Labels, c.Format, c.MinMargin = true, export.DPO, 2 }, "min-margin"},
		"flips above one":                    {func(c *ExportConfig) { c.Labels, c.Format, c.MaxFlip = true, export.DPO, math.NaN() }, "max-flip"},
		"repeats beyond all bounds":          {func(c *ExportConfig) { c.Labels, c.Format, c.Repeat = true, export.DPO, 1001 }, "repeat"},
	} {
		config := DefaultExportConfig()
		config.Run, config.Out = "run", "set"
		c.change(&config)
		err := config.Validate()
		var field *failure.FieldError
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.field != "" && (!errors.As(err, &field) || field.Field != c.field):
			t.Errorf("%s: %v, want one about %s", name, err, c.field)
		}
		if o := config.options(); err == nil && o.Check() != nil {
			t.Errorf("%s: export refuses it: %v", name, o.Check())
		}
	}
}
