package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/engine/export"
	"amend/engine/runstore"
)

// shardMB is how large a file of a training set grows by default, in MB.
const shardMB = 256

// newExportCommand is `amend export`, which makes a training set of a run.
func newExportCommand() *cobra.Command {
	var o export.Options
	var format, encoding, out string
	var megabytes int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Make a training set of a run",
		Long: `Make a training set of a run's finished rows, as the usual training tools load it: a folder with JSONL or
Parquet files in data/, a dataset card (README.md) and the run's constitution.

  sft      messages: the prompt and the last revision that no check flagged
  dpo      prompt, chosen (the last revision that differs and is not flagged), rejected (the first response)
  kto      prompt, completion, label: the two of a pair as rows of their own
  reward   chosen and rejected as whole conversations
  raw      the whole traces

With --labels, pairs are those that amend feedback has labelled: chosen is the answer that the judge prefers, and
label_prob how probable it finds that.

The same run gives the same bytes. What is left out is counted, by reason.`,
		Example: `  amend export runs/first --format sft --to jsonl --out sets/sft
  amend export runs/first --format dpo --to parquet --test 0.05 --disjoint --out sets/dpo
  amend export runs/first --format sft --all-revisions --max-chars 4000 --near-duplicates 0.8 --out sets/rounds
  amend export runs/first --labels --format dpo --min-margin 0.2 --max-flip 0.25 --out sets/labelled`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Format, o.Encoding, o.ShardBytes = export.Format(format), export.Encoding(encoding), int64(megabytes)*1e6
			if err := o.Check(); err != nil {
				return usage(err)
			}
			if cmd.Flags().Changed("max-flip") && !o.Labels {
				return usage(errors.New("--max-flip is of labels, and without --labels there are none"))
			}
			source := exportSource
			if o.Labels {
				source = labelledSource
			}
			from, err := source(args[0])
			if err != nil {
				return usage(err)
			}
			if err := warnOfUnfinished(newLogger(cmd.ErrOrStderr(), false), args[0]); err != nil {
				return err
			}
			report, err := export.Write(out, from, o)
			if err != nil {
				return err
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), report)
			}
			printExport(cmd.OutOrStdout(), out, report, o.Labels)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&format, "format", string(export.SFT), "what it is for: "+list(export.Formats()))
	f.StringVar(&encoding, "to", string(export.JSONL), "how rows are written: "+list(export.Encodings()))
	f.StringVar(&out, "out", "", "the folder of the set, new or empty")
	f.BoolVar(&o.AllRevisions, "all-revisions", false, "sft: every round's revision, not the last alone")
	f.BoolVar(&o.Hygiene, "hygiene", true, "leave out turns that a check flagged (amend stats counts them)")
	f.BoolVar(&o.DropUnchanged, "drop-unchanged", false, "leave out rows whose revisions are the first response again")
	f.StringSliceVar(&o.Principles, "principles", nil, "keep rows in which one of these was drawn: ids, separated by commas")
	f.IntVar(&o.MaxChars, "max-chars", 0, "leave out conversations of more characters; 0: none")
	f.Float64Var(&o.NearDuplicates, "near-duplicates", 0, "leave out rows that share this part of their word triples with one before, 0 to 1; 0: none")
	f.Float64Var(&o.TestShare, "test", 0, "the share of prompts that goes to the split test, by hash of the prompt")
	f.BoolVar(&o.Disjoint, "disjoint", false, "sft takes one half of the prompts, pairs the other")
	f.BoolVar(&o.Labels, "labels", false, "dpo, kto, reward: the pairs and labels of amend feedback, with a column label_prob")
	f.Float64Var(&o.MinMargin, "min-margin", 0, "with --labels: leave out labels whose two probabilities differ by less, 0 to 1")
	f.Float64Var(&o.MaxFlip, "max-flip", 1, "with --labels: leave out labels of which more than this share of principles changes its mind with the order, 0 to 1")
	f.IntVar(&o.Repeat, "repeat", 0, "with --labels: each pair N times, in either direction in proportion to its label; 0: once, as the judge prefers")
	f.IntVar(&megabytes, "shard-mb", shardMB, "how large a file may grow, in MB of JSON")
	f.BoolVar(&asJSON, "json", false, "print one JSON object")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

// list names the members of a list of texts.
func list[T ~string](members []T) string {
	var names []string
	for _, m := range members {
		names = append(names, string(m))
	}
	return strings.Join(names, ", ")
}

// exportSource is a run as export reads it.
func exportSource(dir string) (export.Source, error) {
	m, rows, err := runstore.Read(dir)
	if err != nil {
		return export.Source{}, err
	}
	text, err := os.ReadFile(filepath.Join(dir, runstore.ConstitutionFile))
	if err != nil && !os.IsNotExist(err) {
		return export.Source{}, fmt.Errorf("reading the run's constitution: %w", err)
	}
	r := m.Results
	made, err := makersOf(dir, m)
	if err != nil {
		return export.Source{}, err
	}
	return export.Source{
		Rows: rows, Name: "amend run with " + m.Setup.Constitution, Constitution: text,
		Facts: append(made, []export.Fact{
			{Name: "constitution", Value: m.Setup.Constitution + ", sha256 " + r.ConstitutionSHA256},
			{Name: "loop", Value: fmt.Sprintf("%s, %d revisions%s, temperature %v, seed %d", r.Mode, r.Revisions, gateFact(r.Gate), r.Temperature, r.Seed)},
			{Name: "prompts", Value: "sha256 " + r.PromptsSHA256},
			{Name: "made with", Value: "amend " + m.Setup.Amend + ", llama.cpp " + m.Setup.LlamaCpp},
		}...),
	}, nil
}

// labelledSource is the labels of a run, or of a folder of their own, as export reads them.
func labelledSource(dir string) (export.Source, error) {
	set, err := runstore.ReadFeedback(dir)
	if err != nil {
		return export.Source{}, err
	}
	s := set.Settings
	judge := "sha256 " + s.ModelSHA256
	if s.LoRASHA256 != "" {
		judge += fmt.Sprintf(", with adapter at %v, sha256 %s", s.LoRAScale, s.LoRASHA256)
	}
	from := export.Source{
		Labelled: set.Labels, Name: "amend feedback with " + s.Constitution, Constitution: []byte(s.ConstitutionText),
		Facts: []export.Fact{
			{Name: "judge", Value: judge},
			{Name: "constitution", Value: s.Constitution + ", sha256 " + s.ConstitutionSHA256},
			{Name: "judgements", Value: fmt.Sprintf("%d principles a pair, in both orders, %s, seed %d", s.Principles, s.Layout, s.Seed)},
		},
	}
	if s.Reasonings > 0 {
		from.Facts = append(from.Facts, export.Fact{Name: "reasonings", Value: fmt.Sprintf("%d before each answer, probabilities from %v to %v", s.Reasonings, s.Clamp[0], s.Clamp[1])})
	}
	if set.Done < set.Asked {
		return from, fmt.Errorf("%s has labels of %d pairs, and %d were to get one: the amend feedback command that makes them is not done", dir, set.Done, set.Asked)
	}
	run, err := exportSource(dir)
	if errors.Is(err, runstore.ErrNotARun) { // pairs of a file
		return from, nil
	}
	for _, f := range run.Facts {
		if f.Name != "constitution" { // that of the labels counts
			from.Facts = append(from.Facts, f)
		}
	}
	return from, err
}

func printExport(w io.Writer, out string, r *export.Report, labels bool) {
	read := "rows"
	if labels {
		read = "pairs"
	}
	var examples []string
	for _, split := range slices.Sorted(maps.Keys(r.Examples)) {
		examples = append(examples, fmt.Sprintf("%d in %s", r.Examples[split], split))
	}
	render.Field(w, "examples", strings.Join(examples, ", ")+" of "+strconv.Itoa(r.Read)+" "+read)
	var left []string
	for _, why := range export.Reasons() {
		if n := r.LeftOut[why]; n > 0 {
			left = append(left, fmt.Sprintf("%d %s", n, why))
		}
	}
	if len(left) > 0 {
		render.Field(w, "left out", strings.Join(left, ", "))
	}
	render.Field(w, "files", fmt.Sprintf("%d in %s, %s bytes", len(r.Files), filepath.Join(out, "data"), render.Grouped(int(r.Bytes))))
	render.Field(w, "card", filepath.Join(out, "README.md"))
}

// makersOf are the models and adapters that made a run: those of its first responses, where they were others, first.
func makersOf(dir string, m runstore.Manifest) (facts []export.Fact, err error) {
	name := "model"
	if m.Results.Responses != "" {
		first, _, err := runstore.Read(filepath.Join(dir, runstore.ResponsesDir))
		if err != nil && !errors.Is(err, runstore.ErrNotARun) {
			return nil, err
		}
		if err == nil { // else somebody took it away
			facts = append(facts, export.Fact{Name: "model", Value: makerFact(first)})
		}
		name = "critic"
	}
	return append(facts, export.Fact{Name: name, Value: makerFact(m)}), nil
}

func makerFact(m runstore.Manifest) string {
	text := filepath.Base(m.Setup.Model) + ", sha256 " + m.Results.ModelSHA256
	if m.Results.LoRASHA256 != "" {
		text += fmt.Sprintf(", with adapter %s at %v, sha256 %s", filepath.Base(m.Setup.LoRA), m.Results.LoRAScale, m.Results.LoRASHA256)
	}
	if m.Results.NoFewShots {
		text += ", without few-shots"
	}
	return text
}

func gateFact(g runstore.Gate) string {
	if !g.On {
		return ""
	}
	return fmt.Sprintf(" through a gate (%d tries, margin %v, veto %v)", g.Tries, g.Margin, g.Veto)
}
