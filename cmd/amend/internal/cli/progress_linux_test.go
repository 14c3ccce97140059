package cli

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// resize gives the terminal another number of columns.
func (x *terminal) resize(columns int) {
	x.t.Helper()
	if err := pty.Setsize(x.master, &pty.Winsize{Rows: 24, Cols: uint16(columns)}); err != nil {
		x.t.Fatal(err)
	}
}

// liveLines are the states of the live line, in order.
func liveLines(screen string) (lines []string) {
	for _, m := range regexp.MustCompile(`\r([^\r\n\x1b]+)\x1b\[J\r`).FindAllStringSubmatch(screen, -1) {
		lines = append(lines, m[1])
	}
	return lines
}

// TestProgressOnATerminal: the live line goes through the phases, fits the terminal whatever becomes of its size, and stays
// as what was done.
func TestProgressOnATerminal(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // else an earlier run may have measured
	args, _ := longRun(t, filepath.Join(t.TempDir(), "run"))
	x := openTerminal(t, 80)
	x.say("amend " + quoted(args) + "; echo rc=$?")
	x.untilShown(`\[#*-+\] \d+/60 rows, \d+/180 turns, ETA `)
	x.resize(20)
	x.untilShown(`\r\d+/180 turns\x1b`)
	x.resize(120)
	x.untilShown(`turns\x1b(?s:.*)\[#+-*\] \d+/60 rows, \d+/180 turns, ETA `)
	if code := x.exit(); code != "0" {
		t.Fatalf("it exited with %s:\n%s", code, x.screen())
	}
	screen := x.screen()
	if !regexp.MustCompile(`\[#+\] 60/60 rows, 180/180 turns, took \d+s(, \d+ tok/s)?\r\nrows +60: 60 completed`).MatchString(screen) {
		t.Errorf("the last line is not that of a run that is done:\n%s", screen)
	}
	var phases []string
	for _, line := range liveLines(screen) {
		if len(line) >= 80 {
			t.Errorf("a line of %d columns: %q", len(line), line)
		}
		phase, _, _ := strings.Cut(strings.TrimLeft(line, "[#-] "), ",")
		if strings.Contains(phase, "/") {
			phase = "rows"
		}
		if len(phases) == 0 || phases[len(phases)-1] != phase {
			phases = append(phases, phase)
		}
	}
	if got, want := strings.Join(phases, ", "), "starting, loading model, testing model, measuring, preamble, measuring, rows"; got != want {
		t.Errorf("it went through %s; want %s", got, want)
	}
}

// TestProgressInTheBackground: a run that is not in the foreground draws nothing over what is.
func TestProgressInTheBackground(t *testing.T) {
	args, _ := longRun(t, filepath.Join(t.TempDir(), "run"), "--limit", "4")
	x := openTerminal(t, 80)
	x.say("amend " + quoted(args) + " & wait %1; echo rc=$?")
	if code, lines := x.exit(), liveLines(x.screen()); code != "0" || len(lines) > 0 {
		t.Errorf("it exited with %s and drew %q:\n%s", code, lines, x.screen())
	}
}
