package export

import (
	"bytes"
	"fmt"
	"reflect"
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
	fmt.Fprintf(&b, "---\n\n# %s\n\n%s\n", h.PrettyName, o.purpose(r))
	c := cardText{&b, r, &from, &o}
	c.done()
	c.counts()
	c.evaluations()
	c.lengths()
	c.rounds()
	c.made()
	fmt.Fprintf(&b, "\n## How to load it\n\n```python\n%s```\n", o.Format.usage())
	if o.Format != Raw {
		b.WriteString(limits)
	}
	return b.Bytes(), nil
}
