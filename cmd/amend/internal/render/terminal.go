package render

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// terminal is where a live line is shown. The cursor stays at the line's beginning: when a narrower terminal breaks the line,
// all of it is still behind the cursor.
type terminal struct{ file *os.File }

// clearDown clears everything behind the cursor.
const clearDown = "\x1b[J"

// terminalOf is a file as a terminal; nil for any other file, and for a terminal that cannot clear lines.
func terminalOf(f *os.File) *terminal {
	if !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &terminal{f}
}

// width is how many columns the terminal has.
func (t *terminal) width() int {
	if columns, _, err := term.GetSize(int(t.file.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// foreground says that the terminal is this process's to draw on: a shell may have another job in front.
func (t *terminal) foreground() bool {
	group, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// draw shows a line in place of the one before.
func (t *terminal) draw(line string) { fmt.Fprint(t.file, "\r"+line+clearDown+"\r") }

// clear clears the line.
func (t *terminal) clear() {
	if t.foreground() {
		fmt.Fprint(t.file, "\r"+clearDown)
	}
}

// end shows a line that stays.
func (t *terminal) end(line string) { fmt.Fprint(t.file, line+"\n") }
