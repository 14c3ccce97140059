package export

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// header is the part of a dataset card that programs read: what hubs show, and what `datasets` loads.
type header struct {
	PrettyName     string   `yaml:"pretty_name"`
	TaskCategories []string `yaml:"task_categories"`
	SizeCategories []string `yaml:"size_categories"`
	Tags           []string `yaml:"tags"`
	Configs        []config `yaml:"configs"`
	Info           info     `yaml:"dataset_info"`
}

type config struct {
	Name  string      `yaml:"config_name"`
	Files []dataFiles `yaml:"data_files"`
}

type dataFiles struct {
	Split string `yaml:"split"`
	Path  string `yaml:"path"`
}

type info struct {
	Features []feature   `yaml:"features"`
	Splits   []splitInfo `yaml:"splits"`
	Download int64       `yaml:"download_size"`
	Size     int64       `yaml:"dataset_size"`
}

type splitInfo struct {
	Name  string `yaml:"name"`
	Bytes int64  `yaml:"num_bytes"`
	Rows  int    `yaml:"num_examples"`
}

// feature is a column: of a type, a list of a type, or a list of records.
type feature struct {
	Name string `yaml:"name"`
	Type string `yaml:"dtype,omitempty"`
	List any    `yaml:"list,omitempty"`
}

// features are the columns of a row type.
func features(t reflect.Type) []feature {
	var out []feature
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, features(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue // in no set
		}
		column := feature{Name: name}
		switch typ := f.Type; {
		case typ.Kind() == reflect.Slice && typ.Elem().Kind() == reflect.Struct:
			column.List = features(typ.Elem())
		case typ.Kind() == reflect.Slice:
			column.List = scalar(typ.Elem())
		default:
			column.Type = scalar(typ)
		}
		out = append(out, column)
	}
	return out
}

// scalar is a type as `datasets` names it.
func scalar(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind().String() // string, bool, int32, int64, float64
}

// sizeCategories are a hub's names for how many rows a set has.
func sizeCategory(rows int) string {
	for _, c := range []struct {
		below int
		name  string
	}{{1000, "n<1K"}, {10_000, "1K<n<10K"}, {100_000, "10K<n<100K"}, {1_000_000, "100K<n<1M"}, {10_000_000, "1M<n<10M"}} {
		if rows < c.below {
			return c.name
		}
	}
	return "n>10M"
}

// card writes the dataset card.
func card(r *Report, from Source, o Options) ([]byte, error) {
	h := header{
		PrettyName: from.Name + " (" + string(o.Format) + ")", TaskCategories: []string{"text-generation"},
		Tags: []string{"constitutional-ai", "synthetic", "amend"}, Configs: []config{{Name: "default"}},
		Info: info{Features: features(reflect.TypeOf(o.empty())), Download: r.Bytes},
	}
	rows := 0
	for _, split := range []string{trainSplit, testSplit} {
		n, ok := r.Examples[split]
		if !ok {
			continue
		}
		rows += n
		h.Configs[0].Files = append(h.Configs[0].Files, dataFiles{split, dataDir + "/" + split + "-*"})
		h.Info.Splits = append(h.Info.Splits, splitInfo{split, r.JSON[split], n})
		h.Info.Size += r.JSON[split]
	}
	h.SizeCategories = []string{sizeCategory(rows)}

	var b bytes.Buffer
	b.WriteString("---\n")
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(h); err != nil {
		return nil, fmt.Errorf("writing the card: %w", err)
	}
	fmt.Fprintf(&b, "---\n\n# %s\n\n%s\n", h.PrettyName, o.purpose())
	writeFacts(&b, r, from)
	writeCounts(&b, r, o)
	fmt.Fprintf(&b, "\n## How to load it\n\n```python\n%s```\n", o.Format.usage())
	b.WriteString(limits)
	if len(from.Constitution) > 0 {
		fmt.Fprintf(&b, "\n## The constitution\n\nAs it was composed for the run; also in `constitution.yaml`.\n\n```yaml\n%s```\n", from.Constitution)
	}
	return b.Bytes(), nil
}

// purpose says in a sentence or two what rows are.
func (o *Options) purpose() string {
	if !o.Labels {
		return o.Format.purpose()
	}
	text := map[Format]string{
		DPO: "Pairs of answers: `chosen` is the one that a model preferred, as a judge, under principles of a constitution (Bai et al. " +
			"2022, arXiv 2212.08073, section 4); `label_prob` is how probable it found that, over both orders and all principles.",
		KTO: "Answers with a label: true for the one of two that a model preferred, as a judge, under principles of a constitution; " +
			"`label_prob` is how probable it found that, over both orders and all principles.",
		Reward: "Pairs of whole conversations: `chosen` ends with the answer that a model preferred, as a judge, under principles of a " +
			"constitution; `label_prob` is how probable it found that, over both orders and all principles.",
	}[o.Format]
	if o.Repeat > 0 {
		text += fmt.Sprintf(" Each pair is there %d times, in either direction in proportion to its label.", o.Repeat)
	}
	return text
}

// purpose says the same of a set without labels.
func (f Format) purpose() string {
	return map[Format]string{
		SFT: "Conversations that end with an answer which a model criticised and revised under a constitution (Bai et al. 2022, " +
			"arXiv 2212.08073, section 3), for supervised fine-tuning.",
		DPO: "Pairs of answers: `chosen` is a revision under a constitution, `rejected` the first response that it revises. That " +
			"the revision is better is an assumption; nobody compared the two.",
		KTO: "Answers with a label: true for revisions under a constitution, false for the first responses that they revise. The " +
			"label is an assumption; nobody judged the answers.",
		Reward: "Pairs of whole conversations: `chosen` ends with a revision under a constitution, `rejected` with the first " +
			"response that it revises. That the revision is better is an assumption; nobody compared the two.",
		Raw: "Whole traces of a critique-and-revision run: every turn with its principle, request, text, token ids and seeds. A " +
			"record of what happened, not a training set.",
	}[f]
}

// usage shows how to load a format, and with which trainer of TRL.
func (f Format) usage() string {
	load := "from datasets import load_dataset\n\nds = load_dataset(\"PATH\")\n"
	trainer := map[Format]string{SFT: "SFTTrainer", DPO: "DPOTrainer", KTO: "KTOTrainer", Reward: "RewardTrainer"}[f]
	if trainer == "" {
		return load + "ds[\"train\"][0][\"turns\"]\n"
	}
	return load + "\nfrom trl import " + trainer + "\n\n" + trainer + "(model=\"MODEL\", train_dataset=ds[\"train\"]).train()\n"
}

const limits = `
## What it is not good for

The answers are a model's own, judged by that model. Principles that the model misunderstands are kept badly, mistakes of
fact go unnoticed, and what the constitution does not speak of is as the model had it. Nobody has read the rows. A model
trained on them learns the style of the revisions, their habits and refusals included. The prompts may ask for harm; some
first responses (in pairs: ` + "`rejected`" + `) give it.
`

func writeFacts(b *bytes.Buffer, r *Report, from Source) {
	b.WriteString("\n| | |\n|---|---|\n")
	for _, f := range from.Facts {
		fmt.Fprintf(b, "| %s | %s |\n", f.Name, strings.ReplaceAll(f.Value, "|", "\\|"))
	}
	fmt.Fprintf(b, "| format | %s, %s |\n", r.Format, r.Encoding)
}

// writeCounts writes what was taken, what was left out, and what the rounds did.
func writeCounts(b *bytes.Buffer, r *Report, o Options) {
	b.WriteString("\n## Counts\n\n| | |\n|---|---|\n")
	read := "rows of the run"
	if o.Labels {
		read = "pairs"
	}
	fmt.Fprintf(b, "| %s | %d |\n| of these taken | %d |\n", read, r.Read, r.Taken)
	for _, split := range slices.Sorted(maps.Keys(r.Examples)) {
		fmt.Fprintf(b, "| examples in %s | %d |\n", split, r.Examples[split])
	}
	for _, why := range Reasons() {
		if n := r.LeftOut[why]; n > 0 {
			fmt.Fprintf(b, "| left out: %s | %d |\n", why, n)
		}
	}
	if r.Format != Raw {
		c := r.Chars
		if !o.Labels {
			fmt.Fprintf(b, "| answers that differ from the first response | %d |\n", r.Changed)
		}
		fmt.Fprintf(b, "| characters of an answer: mean, 10 %%, 50 %%, 90 %%, most | %.0f, %d, %d, %d, %d |\n", c.Mean, c.Low, c.Median, c.High, c.Most)
	}
	if len(r.Rounds) == 0 {
		return
	}
	b.WriteString("\n| round | revisions | that change their draft | flags |\n|---|---|---|---|\n")
	for _, c := range r.Rounds {
		var flags []string
		for _, f := range slices.Sorted(maps.Keys(c.Flags)) {
			flags = append(flags, fmt.Sprintf("%s %d", f, c.Flags[f]))
		}
		fmt.Fprintf(b, "| %d | %d | %d | %s |\n", c.Round, c.Revisions, c.Changed, strings.Join(flags, ", "))
	}
}
