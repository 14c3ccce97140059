package render

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"amend/cmd/amend/internal/app"
	"amend/models"
)

// Models lists models, with what is wrong with each.
func Models(w io.Writer, l app.ModelList) error {
	rows := [][]string{{"NAME", "ARCH", "PARAMETERS", "TYPE", "CONTEXT", "SIZE", "FROM", "NOTE"}}
	for _, f := range l.Models {
		if f.Info == nil {
			rows = append(rows, []string{f.Name, "-", "-", "-", "-", "-", f.Source, note(f, f.Fault)})
			continue
		}
		rows = append(rows, []string{f.Name, f.Info.Architecture, Count(f.Info.Parameters), OrNone(f.Info.Quantization),
			strconv.FormatUint(f.Info.Context, 10), Bytes(f.Info.SizeBytes), f.Source, note(f, f.Info.WhyNot)})
	}
	return Table(w, rows)
}

// note is what is wrong with a model, without its path: the row has its name.
func note(f models.Found, text string) string {
	return strings.TrimLeft(strings.TrimPrefix(text, f.Path), ": ")
}

// Model describes a model.
func Model(w io.Writer, info models.Info) error {
	var rows [][]string
	add := func(name, format string, args ...any) {
		rows = append(rows, []string{name, fmt.Sprintf(format, args...)})
	}
	add("path", "%s", info.Path)
	if info.Parts > 1 {
		add("parts", "%d", info.Parts)
	}
	add("name", "%s", OrNone(info.Name))
	add("architecture", "%s", OrNone(info.Architecture))
	if info.License != "" {
		add("license", "%s", info.License)
	}
	add("parameters", "%d", info.Parameters)
	add("quantization", "%s, %.2f bits a weight", OrNone(info.Quantization), info.BitsPerWeight)
	for _, t := range info.TensorTypes {
		add("", "%s: %d tensors, %s weights, %s", t.Type, t.Tensors, Count(t.Parameters), Bytes(t.Bytes))
	}
	add("context", "%d tokens", info.Context)
	add("layers", "%d of %d, feed-forward %d", info.Layers, info.Embedding, info.FeedForward)
	add("heads", "%d, KV heads %d, of %d", info.Heads, info.KVHeads, info.HeadDim)
	add("KV cache", "%d bytes a token in f16", info.KVBytesPerToken)
	add("tokenizer", "%s, %d tokens", tokenizer(info), info.Vocabulary)
	template := "none"
	if info.ChatTemplate {
		template = "yes, sha256 " + info.TemplateSHA256
	}
	add("chat template", "%s", template)
	add("size", "%d bytes", info.SizeBytes)
	if info.SHA256 != "" {
		add("sha256", "%s", info.SHA256)
	}
	if !info.Runnable {
		add("cannot run", "%s", info.WhyNot)
	}
	return Table(w, rows)
}

// tokenizer names a model's tokenizer and what splits text before it.
func tokenizer(info models.Info) string {
	if info.PreTokenizer == "" {
		return OrNone(info.Tokenizer)
	}
	return OrNone(info.Tokenizer) + ", " + info.PreTokenizer
}

// ModelVerdict writes what a check of a model's file found.
func ModelVerdict(w io.Writer, v models.Verdict) error {
	against := "nothing to compare it with: give --sha256"
	if v.Expected != "" {
		against = "as expected (" + v.Expected + ")"
	}
	_, err := fmt.Fprintf(w, "%s\nstructure  sound: %d tensors, %s\nsha256     %s, %s\n", v.Path, v.Tensors, Bytes(v.SizeBytes), v.SHA256, against)
	return err
}

// Synthesized describes a model of random weights that was written.
func Synthesized(w io.Writer, s app.Synthesized) error {
	_, err := fmt.Fprintf(w, "%s\n%s parameters, %s in %.1f s (%.0f MB/s)\nsha256 %s\n", s.Path, Count(s.Parameters),
		Bytes(s.SizeBytes), s.WallS, float64(s.SizeBytes)/1e6/s.WallS, s.SHA256)
	return err
}

// Fallbacks says which weights have another type than was asked for, and why.
func Fallbacks(w io.Writer, s app.Synthesized) {
	for _, f := range s.Fallbacks {
		fmt.Fprintf(w, "%s instead of %s, as llama.cpp's quantizer does it: rows of %d are not whole blocks (%d tensors)\n", f.Got, f.Want, f.Row, f.Tensors)
	}
}

// Quantized describes a model that was written in another quantization.
func Quantized(w io.Writer, q app.Quantized) error {
	_, err := fmt.Fprintf(w, "%s\n%s, %s (%.2f bits a weight) from %s, %s (%.2f)\n", q.After.Path, q.Type, Bytes(q.After.SizeBytes), q.After.BitsPerWeight,
		q.Before.Quantization, Bytes(q.Before.SizeBytes), q.Before.BitsPerWeight)
	return err
}

// Tenths prints a line for each tenth of a long job that counts bytes.
func Tenths(w io.Writer) func(app.Progress) {
	const long = 1e9 // bytes
	last := 0
	return func(p app.Progress) {
		if tenth := p.Done * 10 / max(p.Of, 1); tenth > last && p.Of > long {
			last = tenth
			fmt.Fprintf(w, "%d%% of %s\n", tenth*10, Bytes(uint64(p.Of)))
		}
	}
}
