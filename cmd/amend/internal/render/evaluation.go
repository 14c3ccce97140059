package render

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"

	"amend/cmd/amend/internal/app"
	"amend/engine/stats"
)

// Evaluation writes how a model does on a set, for a person or as JSON.
func Evaluation(w io.Writer, r app.EvaluateResult, asJSON bool) error {
	if asJSON {
		return JSON(w, r)
	}
	model := r.Model
	if r.LoRA != "" {
		model += " with " + r.LoRA
	}
	Field(w, "set", fmt.Sprintf("%s, %s, conversations written by %s", r.Set, counted(r.Items, "item"), r.Chat))
	Field(w, "model", model)
	if r.Failed > 0 {
		Field(w, "failed", counted(r.Failed, "item")+", which no figure counts")
	}
	if r.Cut > 0 {
		Field(w, "cut", counted(r.Cut, "answer")+" ended at the limit of tokens")
	}
	Field(w, "computed", fmt.Sprintf("%s prompt tokens, %s reused, %s decoded in %.1f s; %s done before",
		Grouped(r.Computed), Grouped(r.Reused), Grouped(r.Decoded), r.WallS, counted(r.Before, "item")))
	Field(w, "by item", filepath.Join(r.Out, app.EvaluationItems))
	fmt.Fprintln(w)
	names := slices.Sorted(maps.Keys(r.Results))
	rows := [][]string{{"", "items", "value", "95 %"}}
	for _, name := range names {
		rows = append(rows, figure(name, r.Results[name]))
	}
	if err := RightTable(w, rows); err != nil || len(r.Categories) == 0 {
		return err
	}
	fmt.Fprintln(w)
	rows = [][]string{append([]string{"category", "items"}, names...)}
	for _, c := range r.Categories {
		row := []string{c.Category, strconv.Itoa(c.Items)}
		for _, name := range names {
			row = append(row, Share(c.Results[name]))
		}
		rows = append(rows, row)
	}
	return RightTable(w, rows)
}

func figure(name string, s stats.Share) []string {
	return []string{name, strconv.Itoa(s.Of), Share(s), Interval(s)}
}
