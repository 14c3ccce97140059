// Package render writes results: text and tables for people, JSON for programs, progress. It computes nothing.
package render

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"amend/engine/runstore"
	"amend/engine/stats"
)

// File writes a line about a file, whose path is not broken.
func File(w io.Writer, label, dir, name, what string) {
	const longest = len(runstore.RevisionsFile) + 2
	fmt.Fprintf(w, "%-*s%s%c%-*s%s\n", LabelWidth, label, filepath.Clean(dir), filepath.Separator, longest, name, what)
}

// LabelWidth is the width of the first column of a report, in cells.
const LabelWidth = 10

// Field writes a label and its text, continued below itself where it is long.
func Field(w io.Writer, label, text string) {
	for _, line := range Wrap(text, DefaultWidth-LabelWidth) {
		fmt.Fprintf(w, "%-*s%s\n", LabelWidth, label, line)
		label = ""
	}
}

// GiB writes bytes in GiB.
func GiB(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// Grouped writes a number with commas: 98,765.
func Grouped(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// counted writes a number of things: 1 row, 2 rows.
func counted(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return Grouped(n) + " " + thing
}

// JSON writes v as one indented JSON object.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Count shortens a number: 134.5M.
func Count(n uint64) string {
	switch {
	case n >= 1e9:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 2, 64) + "B"
	case n >= 1e6:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + "M"
	}
	return strconv.FormatUint(n, 10)
}

// Bytes shortens a number of bytes: 98.4 MB.
func Bytes(n uint64) string {
	switch {
	case n >= 1e9:
		return strconv.FormatFloat(float64(n)/1e9, 'f', 2, 64) + " GB"
	case n >= 1e6:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	}
	return strconv.FormatUint(n, 10) + " bytes"
}

// OrNone is s, or the word none where s is empty.
func OrNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// Share writes a share in percent, or a dash for a share of nothing.
func Share(s stats.Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f%%", 100*s.Share)
}

// Interval writes the confidence interval of a share in percent, without the sign.
func Interval(s stats.Share) string { return fmt.Sprintf("%.1f–%.1f", 100*s.Low, 100*s.High) }

// Percent is a part of a whole, and 0 where the whole is 0.
func Percent(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
