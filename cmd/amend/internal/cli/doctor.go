package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"amend/cmd/amend/internal/render"
	"amend/cmd/amend/internal/runner"
	"amend/engine/llama"
	"amend/models"
)

// health is what `amend doctor` finds out.
type health struct {
	Amend    string         `json:"amend"`
	LlamaCpp string         `json:"llama_cpp"`
	OS       string         `json:"os"`
	Arch     string         `json:"arch"`
	Cores    int            `json:"cores"`
	Threads  int            `json:"threads"` // that --threads 0 takes: fewer than cores under a CPU quota
	FreeMiB  uint64         `json:"free_mib"`
	Devices  []healthDevice `json:"devices"`
	Models   []string       `json:"models"`
	Speeds   []quantSpeed   `json:"speeds"`
	Model    *healthModel   `json:"model,omitempty"` // of --model
	Findings []string       `json:"findings"`        // what is missing or could be faster
}

type healthDevice struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Backend     string   `json:"backend"`
	TotalMiB    uint64   `json:"total_mib"`
	Features    []string `json:"features"`
}

// quantSpeed is how fast this machine computes with a type of weights: a
// small model of random weights, timed now.
type quantSpeed struct {
	Type        string  `json:"type"`
	PrefillTokS float64 `json:"prefill_tok_s"`
	DecodeTokS  float64 `json:"decode_tok_s"`
	Note        string  `json:"note,omitempty"`
}

func newDoctorCommand() *cobra.Command {
	var asJSON, measure bool
	var model string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Show what this machine has, and what would make it faster",
		Long: `Show the devices and CPU features that llama.cpp uses, the models at hand, and what is missing.
With --measure it times weights of each type on a small model of random numbers, with the shapes
and vocabulary of SmolLM2-135M, which make models fetches (about a minute). With --model it says how
rows of that model would run here.`,
		Example: "  amend doctor\n  amend doctor --measure --json\n  amend doctor --model big.gguf",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			newLogger(cmd.ErrOrStderr(), false)
			h, err := examine(cmd.Context(), measure)
			if err != nil {
				return err
			}
			if model != "" {
				if h.Model, err = examineModel(cmd.Context(), model); err != nil {
					return err
				}
			}
			if asJSON {
				return render.JSON(cmd.OutOrStdout(), h)
			}
			return h.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	cmd.Flags().StringVar(&model, "model", "", "also say how rows of this GGUF model would run: a path, smollm2, or a name that amend model ls shows")
	cmd.Flags().BoolVar(&measure, "measure", false, "time weights of each type on this machine")
	return cmd
}

func examine(ctx context.Context, measure bool) (*health, error) {
	devices, err := llama.Devices()
	if err != nil {
		return nil, err
	}
	h := &health{
		Amend: version, LlamaCpp: llama.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Cores: runtime.NumCPU(), Threads: runtime.GOMAXPROCS(0),
		Devices: []healthDevice{}, Models: []string{}, Speeds: []quantSpeed{}, Findings: []string{},
	}
	free, err := runner.FreeMemory(0, 0)
	if err != nil {
		return nil, err
	}
	h.FreeMiB = free >> 20
	for _, d := range devices {
		one := healthDevice{Name: d.Name, Description: strings.TrimSpace(d.Description), Type: string(d.Type), Backend: d.Backend, TotalMiB: d.MemoryTotal >> 20, Features: []string{}}
		for _, f := range d.Features {
			if f.Value == "1" {
				one.Features = append(one.Features, f.Name)
			}
		}
		h.Devices = append(h.Devices, one)
	}
	caches := models.CachesFrom(os.Getenv)
	for _, m := range caches.Names() {
		h.Models = append(h.Models, m.Name)
	}
	h.find()
	if measure {
		h.Speeds, err = measureTypes(ctx, caches)
	}
	return h, err
}

// find says what is missing or could be faster.
func (h *health) find() {
	has := func(feature string) bool {
		return slices.ContainsFunc(h.Devices, func(d healthDevice) bool { return slices.Contains(d.Features, feature) })
	}
	add := func(format string, args ...any) { h.Findings = append(h.Findings, fmt.Sprintf(format, args...)) }
	if !slices.ContainsFunc(h.Devices, func(d healthDevice) bool {
		return d.Type == string(llama.DeviceGPU) || d.Type == string(llama.DeviceIGPU)
	}) {
		add("no GPU is in use: these libraries were built for the CPU, or the driver is missing; with a card, build with make CUDA=1 or VULKAN=1, or put such libraries in lib/")
	}
	if runtime.GOARCH == "amd64" && !has("AVX2") {
		add("llama.cpp does not use AVX2 here: a build on this machine (make build) may be several times faster than a portable one")
	}
	if h.FreeMiB < 2048 {
		add("only %d MiB of memory are free: fewer rows will run at once", h.FreeMiB)
	}
	if len(h.Models) == 0 {
		add("no model is at hand: make models fetches a small one, --model takes a path to any GGUF, AMEND_MODELS names folders to look in")
	}
	h.Findings = append(h.Findings, fastTypes(has)...)
}

// fastTypes derives which weights are fast from the CPU's features: types that
// llama.cpp's CPU backend keeps in rearranged blocks have kernels of their own.
func fastTypes(has func(string) bool) []string {
	switch {
	case has("AVX2"):
		return []string{"fast on this CPU: Q4_0, Q4_K and IQ4_NL, which llama.cpp rearranges for AVX2 (Q4_K only where rows are a multiple of 256), and Q8_0 in prefill; requantizing what is 4-bit already loses accuracy for that speed"}
	case has("NEON") || has("ARM_FMA"):
		return []string{"fast on this CPU: Q4_0 and IQ4_NL, which llama.cpp rearranges for NEON, more so with dotprod or i8mm; requantizing what is 4-bit already loses accuracy for that speed"}
	}
	return []string{"which weights are fast here is not known from the CPU's features: amend doctor --measure times them"}
}

func (h *health) print(w io.Writer) error {
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
		h.Model.print(t)
	}
	for _, s := range h.Speeds {
		fmt.Fprintf(t, "speed\t%s: prefill %.0f tok/s, decode %.0f tok/s %s\n", s.Type, s.PrefillTokS, s.DecodeTokS, s.Note)
	}
	for _, f := range h.Findings {
		fmt.Fprintf(t, "note\t%s\n", f)
	}
	return t.Flush()
}

// measureTypes times prefill and decode of random weights of each type.
func measureTypes(ctx context.Context, caches models.Caches) (out []quantSpeed, err error) {
	path, err := caches.Resolve("smollm2")
	if err != nil {
		return nil, fmt.Errorf("--measure needs a model at hand for its vocabulary: %w", err)
	}
	tokenizer, err := models.Open(path)
	if err != nil {
		return nil, err
	}
	shape, err := models.ParseShape("smollm2-135m")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "amend-doctor-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for test models: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for _, quant := range []string{"Q4_0", "Q4_1", "Q4_K_M", "Q8_0", "F16"} {
		file := dir + "/" + quant + ".gguf"
		made, err := models.Synth(ctx, file, models.Spec{Shape: shape, Quant: quant, Seed: 1, Tokenizer: tokenizer}, true, nil)
		if err != nil {
			return nil, err
		}
		s, err := measureModel(ctx, file)
		if err != nil {
			return nil, fmt.Errorf("timing %s: %w", quant, err)
		}
		s.Type = quant
		if len(made.Fallbacks) > 0 {
			s.Note = "(rows of this shape do not divide into its blocks: partly another type)"
		}
		out = append(out, s)
		if err := os.Remove(file); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measureModel times one prefill of 512 tokens and 32 single decode steps,
// after a warm-up.
func measureModel(ctx context.Context, path string) (s quantSpeed, err error) {
	m, err := llama.LoadModel(ctx, path, llama.ModelParams{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	c, err := m.NewContext(llama.ContextParams{Ctx: 1024, Batch: runner.BatchTokens, OutputsMax: 1, FlashAttn: llama.FlashOff})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	b, err := llama.NewBatch(runner.BatchTokens, 1)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	rng := rand.New(rand.NewPCG(1, 1))
	pos := 0
	step := func(n int) (time.Duration, error) {
		b.Clear()
		for i := range n {
			if err := b.Add(llama.Token(rng.IntN(m.Vocab().Size())), int32(pos), i == n-1, 0); err != nil {
				return 0, err
			}
			pos++
		}
		start := time.Now()
		err := c.Decode(ctx, b)
		c.Synchronize()
		return time.Since(start), err
	}
	if _, err := step(32); err != nil { // warm-up
		return s, err
	}
	prefill, err := step(runner.BatchTokens)
	if err != nil {
		return s, err
	}
	s.PrefillTokS = rate(runner.BatchTokens, prefill)
	var decode time.Duration
	const steps = 32
	for range steps {
		d, err := step(1)
		if err != nil {
			return s, err
		}
		decode += d
	}
	s.DecodeTokS = rate(steps, decode)
	return s, nil
}
