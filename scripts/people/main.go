// People divides a preference set of people's labels into parts that share no prompt, for scripts/prefer-people:
//
//	scripts/go run ./scripts/people FILE OUT-PREFIX NAME=ROWS…
//
// Prompts are in the order of the project's split (package split), those that any command holds out first. The first part
// takes prompts until it has its rows, then the next one. The last part takes what is left, and needs no number. Each is
// written to OUT-PREFIX-NAME.jsonl.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"amend/engine/chat"
	"amend/engine/feedback"
	"amend/engine/prompts"
	"amend/engine/split"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: people FILE OUT-PREFIX NAME=ROWS…")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "people:", err)
		os.Exit(1)
	}
}

// part is a share of the rows.
type part struct {
	name string
	rows int // -1: what is left
}

func run(file, prefix string, args []string) error {
	parts, err := parse(args)
	if err != nil {
		return err
	}
	set, err := prompts.ReadPairs(prompts.Paths{file}, os.Stdin, prompts.Options{})
	if err != nil {
		return err
	}
	groups := byPlace(set.Pairs)
	for _, p := range parts {
		var rows []feedback.Pair
		for len(groups) > 0 && (p.rows < 0 || len(rows) < p.rows) {
			rows, groups = append(rows, groups[0]...), groups[1:]
		}
		path := prefix + "-" + p.name + ".jsonl"
		text, err := write(rows)
		if err == nil {
			err = os.WriteFile(path, text, 0o666)
		}
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d rows\n", path, len(rows))
	}
	return nil
}

func parse(args []string) (parts []part, err error) {
	for i, a := range args {
		name, rows, found := strings.Cut(a, "=")
		p := part{name, -1}
		if found {
			if p.rows, err = strconv.Atoi(rows); err != nil || p.rows < 1 {
				return nil, fmt.Errorf("%s: the rows must be a number above 0", a)
			}
		} else if i != len(args)-1 {
			return nil, fmt.Errorf("%s: only the last part takes what is left: write %s=ROWS", a, a)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// byPlace are the pairs of each prompt, in the order of the split.
func byPlace(pairs []feedback.Pair) [][]feedback.Pair {
	groups := map[string][]feedback.Pair{}
	for _, p := range pairs {
		name := feedback.PromptHash(p.Messages)
		groups[name] = append(groups[name], p)
	}
	place := func(g []feedback.Pair) float64 { return split.Of(chat.Texts(g[0].Messages)).Position() }
	return slices.SortedFunc(maps.Values(groups), func(a, b []feedback.Pair) int { return cmp.Compare(place(a), place(b)) })
}

// message is one as data sets have it.
type message struct {
	Role    chat.Role `json:"role"`
	Content string    `json:"content"`
}

// write writes pairs as a preference set, the better response as chosen.
func write(pairs []feedback.Pair) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	for _, p := range pairs {
		row := struct {
			ID       string    `json:"id"`
			Messages []message `json:"messages"`
			Chosen   string    `json:"chosen"`
			Rejected string    `json:"rejected"`
		}{ID: p.ID, Chosen: p.First, Rejected: p.Second}
		for _, m := range p.Messages {
			row.Messages = append(row.Messages, message{m.Role, m.Text})
		}
		if err := e.Encode(row); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
