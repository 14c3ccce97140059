package main

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"amend/engine/check"
	"amend/engine/plainjson"
)

// question is a turn as a reader sees it.
type question struct {
	ID       string     `json:"id"`
	Kind     check.Kind `json:"kind"`
	Prompt   string     `json:"prompt"`
	Draft    string     `json:"draft,omitempty"`
	Request  string     `json:"request,omitempty"`
	Critique string     `json:"critique,omitempty"`
	Text     string     `json:"text"`
}

// entry is what is kept of a turn: who wrote it, what the checks say, and for how many turns of the runs it stands.
type entry struct {
	ID       string       `json:"id"`
	Model    string       `json:"model"`
	Row      string       `json:"row"` // names the prompt
	Kind     check.Kind   `json:"kind"`
	Prompt   string       `json:"prompt,omitempty"` // where it is this project's
	Draft    string       `json:"draft,omitempty"`
	Request  string       `json:"request,omitempty"`
	Critique string       `json:"critique,omitempty"`
	Text     string       `json:"text"`
	Safe     bool         `json:"safe,omitempty"`
	Flags    []check.Flag `json:"flags"`
	Stratum  string       `json:"stratum"` // that it was drawn from: a flag, or the kind of a turn without one
	Weight   float64      `json:"weight"`  // turns of the stratum, for each that was drawn
}

// unflagged begins the name of a stratum without a flag.
const unflagged = "unflagged "

// quota is how many turns are drawn of each flag, if there are so many.
const quota = 12

// writeSheet draws n turns of runs, enriched by those with flags, and writes what a reader sees, and the key to it.
func writeSheet(out string, runs []string, seed uint64, n int) error {
	var all []turn
	for _, dir := range runs {
		turns, err := readTurns(dir)
		if err != nil {
			return err
		}
		all = append(all, turns...)
	}
	ours, err := ownPrompts("examples/prompts.jsonl")
	if err != nil {
		return err
	}
	draw := rand.New(rand.NewPCG(seed, 0))
	entries, prompts := drawTurns(all, draw, n)
	var sheet, key []any
	for i, e := range entries {
		e.ID = fmt.Sprintf("t%03d", i+1)
		sheet = append(sheet, question{e.ID, e.Kind, prompts[i], e.Draft, e.Request, e.Critique, e.Text})
		if ours[e.Row] {
			e.Prompt = prompts[i]
		}
		key = append(key, e)
	}
	if err := writeInstruction(out+".md", runs[0]); err != nil {
		return err
	}
	if err := writeLines(out+".jsonl", sheet); err != nil {
		return err
	}
	return writeLines(out+"-key.jsonl", key)
}

// drawTurns draws turns, and shuffles them. A turn belongs to the rarest of its flags.
func drawTurns(all []turn, draw *rand.Rand, n int) (entries []entry, prompts []string) {
	count := map[check.Flag]int{}
	for _, t := range all {
		for _, f := range t.Flags {
			count[f]++
		}
	}
	strata := map[string][]turn{}
	for _, t := range all {
		s := stratum(t, count)
		strata[s] = append(strata[s], t)
	}
	drawn := sizes(strata, n)
	for _, s := range slices.Sorted(maps.Keys(drawn)) {
		turns, size := strata[s], drawn[s]
		draw.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
		for _, t := range turns[:size] {
			entries = append(entries, entry{
				Model: t.Model, Row: t.Row, Kind: t.Input.Kind, Draft: t.Input.Draft, Request: t.Input.Request, Critique: t.Input.Critique, Text: t.Input.Text, Safe: t.Input.Safe,
				Flags: append([]check.Flag{}, t.Flags...), Stratum: s, Weight: float64(len(turns)) / float64(size),
			})
			prompts = append(prompts, t.Input.Prompt)
		}
	}
	draw.Shuffle(len(entries), func(i, j int) {
		entries[i], entries[j] = entries[j], entries[i]
		prompts[i], prompts[j] = prompts[j], prompts[i]
	})
	return entries, prompts
}

// stratum is the rarest flag of a turn that readers are asked about, or its kind where it has none.
func stratum(t turn, count map[check.Flag]int) string {
	var flags []check.Flag
	for _, f := range t.Flags {
		if codeOf(f) != "" {
			flags = append(flags, f)
		}
	}
	if len(flags) == 0 {
		return unflagged + string(t.Input.Kind)
	}
	return string(slices.MinFunc(flags, func(a, b check.Flag) int { return cmp.Compare(count[a], count[b]) }))
}

// sizes says how many turns to draw of each stratum: quota of each flag, and the rest in equal parts of those without one.
func sizes(strata map[string][]turn, n int) map[string]int {
	size := map[string]int{}
	var plain []string
	for s, turns := range strata {
		if strings.HasPrefix(s, unflagged) {
			plain = append(plain, s)
			continue
		}
		size[s] = min(len(turns), quota)
		n -= size[s]
	}
	slices.Sort(plain)
	for i, s := range plain {
		size[s] = max(0, min(len(strata[s]), n/(len(plain)-i)))
		n -= size[s]
	}
	maps.DeleteFunc(size, func(_ string, n int) bool { return n == 0 })
	return size
}

// ownPrompts are the ids of the prompts in a file of this project.
func ownPrompts(file string) (map[string]bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		var row struct{ ID string }
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		ids[row.ID] = true
	}
	return ids, nil
}

// instruction says what readers are to look for.
//
//go:embed reading.md
var instruction string

// writeInstruction writes what a reader needs beside the sheet: the instruction, and a run's worked examples.
func writeInstruction(file, run string) error {
	texts, err := readDemonstrations(run)
	if err != nil {
		return err
	}
	return os.WriteFile(file, []byte(instruction+"\n## The worked examples\n\n"+strings.Join(texts, "\n\n")+"\n"), 0o644)
}

func writeLines(file string, rows []any) error {
	var b strings.Builder
	for _, row := range rows {
		line, err := plainjson.Marshal(row)
		if err != nil {
			return err
		}
		b.Write(append(line, '\n'))
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
