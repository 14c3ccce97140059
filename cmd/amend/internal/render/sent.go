package render

import (
	"fmt"
	"strings"

	"amend/cmd/amend/internal/app"
)

// Sent writes what the model was sent for each turn of a row, with control tokens, as it is: nothing is broken into lines or
// indented. Only what would act on a terminal is replaced.
func Sent(p *Page, turns []app.SentTurn) error {
	for i, t := range turns {
		if i > 0 {
			p.Text("\n")
		}
		name := string(t.Kind)
		if t.Round > 0 {
			name = fmt.Sprintf("round %d, %s", t.Round, t.Kind)
		}
		if t.Try > 0 {
			name += fmt.Sprintf(", try %d", t.Try+1)
		}
		length := "messages to a server"
		if len(t.Tokens) > 0 {
			length = counted(len(t.Tokens), "token")
		}
		p.Heading(0, fmt.Sprintf("=== %s: %s", name, length))
		p.Text(Printable(t.Text))
		if !strings.HasSuffix(t.Text, "\n") {
			p.Text("\n")
		}
	}
	return p.err
}
