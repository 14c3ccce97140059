package render

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"amend/cmd/amend/internal/app"
)

// Health writes what the machine has, and what would make it faster.
func Health(w io.Writer, h app.Health) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "amend\t%s with llama.cpp %s\n", h.Amend, h.LlamaCpp)
	fmt.Fprintf(t, "machine\t%s/%s, %d cores (%d threads by default), %d MiB free\n", h.OS, h.Arch, h.Cores, h.Threads, h.FreeMiB)
	for _, d := range h.Devices {
		fmt.Fprintf(t, "device\t%s: %s (%s, %d MiB)\n", d.Name, d.Description, d.Backend, d.TotalMiB)
		if len(d.Features) > 0 {
			fmt.Fprintf(t, "\t%s\n", strings.Join(d.Features, " "))
		}
	}
	fmt.Fprintf(t, "models\t%s\n", strings.Join(h.Models, ", "))
	if h.Model != nil {
		healthModel(t, *h.Model)
	}
	for _, s := range h.Speeds {
		fmt.Fprintf(t, "speed\t%s: prefill %.0f tok/s, decode %.0f tok/s %s\n", s.Type, s.PrefillTokS, s.DecodeTokS, s.Note)
	}
	for _, f := range h.Findings {
		fmt.Fprintf(t, "note\t%s\n", f)
	}
	return t.Flush()
}

// healthModel writes how rows of a model would run.
func healthModel(w io.Writer, m app.HealthModel) {
	fmt.Fprintf(w, "model\t%s: %s, %s, keys in %s, %d bytes of KV cache a token\n", m.Shown, m.Architecture, m.Quantization, m.Keys, m.CellBytes)
	if m.Attached {
		fmt.Fprintf(w, "\ta shared preamble is read once for all rows\n")
	} else {
		fmt.Fprintf(w, "\ta shared preamble is copied to every row: %s\n", m.Why)
	}
	switch {
	case m.Forecast != nil:
		fmt.Fprintf(w, "\t%d rows, each of a short question, with default settings:\n", m.Rows)
		for _, l := range forecast(*m.Forecast, 0) {
			fmt.Fprintf(w, "\t  %-*s%s\n", LabelWidth, l.label, l.text)
		}
	case m.WhyNot != "":
		fmt.Fprintf(w, "\tno rows run with default settings: %s\n", m.WhyNot)
	}
	if m.SelfTest != nil {
		fmt.Fprintf(w, "\tas a judge: %s: %s\n", m.SelfTest.Verdict, m.SelfTest)
	}
	if m.VerdictTest != nil {
		fmt.Fprintf(w, "\tits verdicts on single responses: %s: %s\n", m.VerdictTest.Verdict, m.VerdictTest)
	}
	if m.FitTest != nil {
		fmt.Fprintf(w, "	which principles fit: %s: %s\n", m.FitTest.Verdict, m.FitTest)
	}
	if m.ReadingTest != nil {
		fmt.Fprintf(w, "	what critiques find: %s: %s\n", m.ReadingTest.Verdict, m.ReadingTest)
	}
}
