package app

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"

	"amend/cmd/amend/internal/runner"
	"amend/engine/selftest"
	"amend/models"
)

// DoctorConfig says what to examine beside the machine.
type DoctorConfig struct {
	Model   string `yaml:"model"`   // say how rows of this model would run; empty: of none
	Measure bool   `yaml:"measure"` // time weights of each type
}

// Health is what Doctor finds out.
type Health struct {
	Amend    string         `json:"amend"`
	LlamaCpp string         `json:"llama_cpp"`
	OS       string         `json:"os"`
	Arch     string         `json:"arch"`
	Cores    int            `json:"cores"`
	Threads  int            `json:"threads"` // that a run takes: fewer than cores under a CPU quota
	FreeMiB  uint64         `json:"free_mib"`
	Devices  []HealthDevice `json:"devices"`
	Models   []string       `json:"models"`
	Speeds   []HealthSpeed  `json:"speeds"`
	Model    *HealthModel   `json:"model,omitempty"` // of DoctorConfig.Model
	Findings []string       `json:"findings"`        // what is missing or could be faster
}

// HealthDevice is something that llama.cpp computes on.
type HealthDevice struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Type        string   `json:"type"`
	Backend     string   `json:"backend"`
	TotalMiB    uint64   `json:"total_mib"`
	Features    []string `json:"features"`
}

// HealthModel is how rows of a model would run on this machine.
type HealthModel struct {
	Path         string `json:"path"`
	Shown        string `json:"-"` // Path, or the name that Ollama has for it
	Architecture string `json:"architecture"`
	Quantization string `json:"quantization"`
	Keys         string `json:"kv_type"`    // of cached keys
	CellBytes    uint64 `json:"cell_bytes"` // keys and values of a token
	// Attached says that rows read a shared preamble once for all of them. Else each holds a copy, for the reason Why.
	Attached bool   `json:"attached"`
	Why      string `json:"why_copied,omitempty"`
	// Forecast is of so many rows with default settings. Where they cannot run, WhyNot says why.
	Rows     int       `json:"forecast_rows"`
	Forecast *Forecast `json:"forecast,omitempty"`
	WhyNot   string    `json:"why_no_forecast,omitempty"`
	// SelfTest is what the model makes of known cases as a judge; nil where it has no chat template.
	SelfTest *selftest.Result `json:"self_test"`
	// VerdictTest is what its verdicts on single responses make of them, which a gate asks for.
	VerdictTest *selftest.VerdictResult `json:"verdict_test,omitempty"`
	// FitTest and ReadingTest are what it makes of which principles fit, and of known critiques, which runs ask by default.
	FitTest     *selftest.FitResult     `json:"fit_test,omitempty"`
	ReadingTest *selftest.VerdictResult `json:"reading_test,omitempty"`
}

// Doctor examines the machine: its devices, the models at hand, and what is missing or could be faster.
func Doctor(ctx context.Context, env Env, c DoctorConfig) (Health, error) {
	runner.SetLog(env.Log)
	h := Health{
		Amend: env.Version, LlamaCpp: runner.LlamaVersion(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		Cores: runtime.NumCPU(), Threads: runtime.GOMAXPROCS(0),
		Devices: []HealthDevice{}, Models: []string{}, Speeds: []HealthSpeed{}, Findings: []string{},
	}
	if err := h.examineMachine(); err != nil {
		return h, err
	}
	caches := models.CachesFrom(os.Getenv)
	for _, m := range caches.Names() {
		h.Models = append(h.Models, m.Name)
	}
	if err := h.find(); err != nil {
		return h, err
	}
	var err error
	if c.Measure {
		if h.Speeds, err = measureTypes(ctx, caches); err != nil {
			return h, err
		}
	}
	if c.Model != "" {
		h.Model, err = examineModel(ctx, env, c.Model)
	}
	return h, err
}

// examineMachine notes the devices and the memory that is free.
func (h *Health) examineMachine() error {
	devices, err := runner.Devices()
	if err != nil {
		return err
	}
	for _, d := range devices {
		h.Devices = append(h.Devices, HealthDevice(d))
	}
	free, err := runner.FreeMemory(0, 0)
	h.FreeMiB = free >> 20
	return err
}

// examineModel loads a model as a run would, forecasts rows, and tests it as a judge.
func examineModel(ctx context.Context, env Env, name string) (*HealthModel, error) {
	o, err := runner.Examine(ctx, name)
	if err != nil {
		return nil, err
	}
	m := &HealthModel{
		Path: o.Info.Path, Shown: models.CachesFrom(os.Getenv).Shown(o.Info.Path), Architecture: o.Info.Architecture, Quantization: o.Info.Quantization,
		Keys: o.Keys, CellBytes: o.CellBytes, Attached: o.WhyCopied == "", Why: o.WhyCopied, Rows: forecastRows,
	}
	if err := m.forecast(ctx, env, name, o.Info.ChatTemplate); err != nil {
		return nil, err
	}
	if !o.Info.ChatTemplate {
		return m, nil
	}
	r, err := env.testJudge(ctx, name)
	if err != nil {
		return nil, err
	}
	m.SelfTest, m.VerdictTest, m.FitTest, m.ReadingTest = r.Pairs, r.Verdicts, r.Fit, r.Reading
	return m, nil
}

// find says what is missing or could be faster.
func (h *Health) find() error {
	has := func(feature string) bool {
		return slices.ContainsFunc(h.Devices, func(d HealthDevice) bool { return slices.Contains(d.Features, feature) })
	}
	add := func(format string, args ...any) { h.Findings = append(h.Findings, fmt.Sprintf(format, args...)) }
	gpu, err := runner.UsesGPU(-1)
	if err != nil {
		return err
	}
	if !gpu {
		add("no GPU is in use: these libraries were built for the CPU, or the driver is missing; with a card, build with make CUDA=1 or VULKAN=1, or put such libraries in lib/")
	}
	if runtime.GOARCH == "amd64" && !has("AVX2") {
		add("llama.cpp does not use AVX2 here: a build on this machine (make build) may be several times faster than a portable one")
	}
	if h.FreeMiB < 2048 {
		add("only %d MiB of memory are free: fewer rows will run at once", h.FreeMiB)
	}
	if len(h.Models) == 0 {
		add("no model is at hand: make models fetches a small one, the setting model takes a path to any GGUF, AMEND_MODELS names folders to look in")
	}
	h.Findings = append(h.Findings, fastTypes(has))
	return nil
}

// fastTypes derives which weights are fast from the CPU's features: types that llama.cpp's CPU backend keeps in rearranged
// blocks have kernels of their own.
func fastTypes(has func(string) bool) string {
	switch {
	case has("AVX2"):
		return "fast on this CPU: Q4_0, Q4_K and IQ4_NL, which llama.cpp rearranges for AVX2 (Q4_K only where rows are a multiple of 256), and Q8_0 in prefill; requantizing what is 4-bit already loses accuracy for that speed"
	case has("NEON") || has("ARM_FMA"):
		return "fast on this CPU: Q4_0 and IQ4_NL, which llama.cpp rearranges for NEON, more so with dotprod or i8mm; requantizing what is 4-bit already loses accuracy for that speed"
	}
	return "which weights are fast here is not known from the CPU's features: amend doctor --measure times them"
}
