package render

import (
	"fmt"
	"math"
	"strings"
	"time"

	"amend/cmd/amend/internal/app"
)

// part is a piece of a progress line. Where not all fit, those of the lowest rank stay.
type part struct {
	rank int
	text string
}

// Ranks: what goes first, and what stays before a bar does.
const (
	highest   = 4
	beforeBar = 3
)

// The sizes of a bar, in columns.
const (
	leastBar = 12
	mostBar  = 26
)

// plainLine says how far some work is.
func plainLine(s app.Progress, w stopwatch) string {
	parts := workParts(s, w, false)
	if s.Phase != app.Working {
		parts = phaseParts(s, w)
	}
	line, _ := joined(parts, math.MaxInt)
	return line
}

// liveLine says how far some work is in less than width columns, with a bar where there is room. A line that stays has no
// estimate.
func liveLine(s app.Progress, w stopwatch, width int, stays bool) string {
	parts, done, of := workParts(s, w, stays), s.Done, s.Of
	switch {
	case s.Phase != app.Working && !stays:
		parts, done, of = phaseParts(s, w), s.PhaseDone, s.PhaseOf
	case s.TurnsOf > 0:
		done, of = s.Turns, s.TurnsOf
	}
	line, rank := joined(parts, width-leastBar-len(" "))
	if rank < beforeBar {
		line, _ = joined(parts, width)
	}
	if room := width - 1 - len(line) - 1; of > 0 && room >= leastBar {
		line = bar(done, of, min(room, mostBar)) + " " + line
	}
	return line
}

// phaseParts says what goes on before the units.
func phaseParts(s app.Progress, w stopwatch) []part {
	parts := []part{{0, string(s.Phase)}}
	if s.PhaseOf > 0 {
		parts = append(parts, part{2, fmt.Sprintf("%d/%d %ss", s.PhaseDone, s.PhaseOf, s.PhaseThing)})
	}
	if s.PhaseDone > 0 {
		return append(parts, part{1, "ETA " + duration(w.left(s.PhaseOf-s.PhaseDone))})
	}
	return append(parts, part{1, duration(w.phase())})
}

// workParts says how many units and turns are done, and when the rest will be.
func workParts(s app.Progress, w stopwatch, stays bool) []part {
	units := part{2, fmt.Sprintf("%d/%d %ss", s.Done, s.Of, s.Unit)}
	parts := []part{units}
	done, of, before := s.Turns, s.TurnsOf, s.TurnsBefore
	if of > 0 {
		parts = append(parts, part{0, fmt.Sprintf("%d/%d turns", done, of)})
	} else {
		parts[0].rank = 0
		done, of, before = s.Done, s.Of, s.Before
	}
	if s.Failed > 0 {
		parts = append(parts, part{3, fmt.Sprintf("%d failed", s.Failed)})
	}
	switch here := done - before; {
	case stays:
		parts = append(parts, part{1, "took " + duration(w.total)})
	case here > 0:
		left := float64(w.work()) / float64(here) * float64(of-done)
		parts = append(parts, part{1, "ETA " + duration(time.Duration(left))})
	default:
		parts = append(parts, part{1, duration(w.total) + " so far"})
	}
	if s.DecodeTokS >= 1 {
		parts = append(parts, part{4, fmt.Sprintf("%.0f tok/s", s.DecodeTokS)})
	}
	return parts
}

// joined is those parts that fit, in their order, and the highest rank of these. One of rank 0 is always there, cut to
// the width.
func joined(parts []part, width int) (line string, rank int) {
	for rank = highest; ; rank-- {
		var texts []string
		for _, p := range parts {
			if p.rank <= rank {
				texts = append(texts, p.text)
			}
		}
		line = strings.Join(texts, ", ")
		if len(line) < width {
			return line, rank
		}
		if rank == 0 {
			return line[:max(0, width-1)], rank
		}
	}
}

// bar draws a share in so many columns.
func bar(done, of, columns int) string {
	inner := columns - len("[]")
	full := min(inner, inner*done/of)
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", inner-full) + "]"
}

// duration is a time in whole seconds.
func duration(d time.Duration) string { return d.Round(time.Second).String() }
