// Package bench measures workloads: through amend's engine in several ways,
// through a server over HTTP, and against what plain llama_decode could reach.
package bench

import (
	"cmp"
	"time"

	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// Report is one `amend bench`: what `--json` prints.
type Report struct {
	Workload string           `json:"workload"`
	Order    string           `json:"order,omitempty"`
	Lengths  workload.Lengths `json:"lengths"`
	Expected workload.Counts  `json:"expected"` // for the rows of the variant named amend
	// Need is the most tokens that a row of the text workload can come to hold:
	// what a slot of a server must have room for.
	Need     int       `json:"need,omitempty"`
	Setup    Setup     `json:"setup"`
	Setting  string    `json:"setting"` // of amend's variants
	Variants []Variant `json:"variants"`
	// Ratios are wall times a row, of each variant to amend's: how many times
	// faster amend is.
	Ratios     map[string]float64 `json:"ratios,omitempty"`
	FloorS     float64            `json:"floor_s,omitempty"`       // the necessary tokens at the speeds of plain llama_decode
	FloorWith  string             `json:"floor_setting,omitempty"` // the setting that reached it
	FloorSpeed []Speed            `json:"floor_speeds,omitempty"`
	// OfFloor is the floor by amend's time: for each run of amend the mean of the
	// floors before and after it, of several runs the median.
	OfFloor float64 `json:"of_floor,omitempty"`
	// GoShare is the part of amend's wall time outside llama_decode.
	GoShare float64 `json:"go_share,omitempty"`
}

// Setup is what the figures were measured on.
type Setup struct {
	Model        string `json:"model"`
	Architecture string `json:"architecture"`
	Quantization string `json:"quantization"`
	CPU          string `json:"cpu"`
	Cores        int    `json:"cores"`
	Threads      int    `json:"threads"`
	LlamaCpp     string `json:"llama_cpp"`
	Amend        string `json:"amend"`
}

// Variant is one way of doing a workload, and what it took. Times are seconds.
type Variant struct {
	Name        string  `json:"name"`
	Rows        int     `json:"rows"`
	WallS       float64 `json:"wall_s"`
	WallSPerRow float64 `json:"wall_s_per_row"`
	DecodeTokS  float64 `json:"decode_tok_s"` // tokens sampled by wall time
	Decoded     int     `json:"decode_tokens"`
	Computed    int     `json:"prefill_tokens_computed"`
	Reused      int     `json:"prefill_tokens_reused"`
	// Where the time went, of amend's own variants.
	PrefillS    float64 `json:"prefill_s,omitempty"`
	DecodeS     float64 `json:"decode_s,omitempty"`
	DecodeSteps int     `json:"decode_steps,omitempty"`
	// Of several runs WallS is the median, and these the least and most.
	Runs int     `json:"runs,omitempty"`
	MinS float64 `json:"wall_s_min,omitempty"`
	MaxS float64 `json:"wall_s_max,omitempty"`
	// RatioMin and RatioMax are the least and most of the ratios to amend's run of
	// the same turn.
	RatioMin float64 `json:"ratio_min,omitempty"`
	RatioMax float64 `json:"ratio_max,omitempty"`
	Note     string  `json:"note,omitempty"` // how it differs: fewer rows, say

	// Cells of keys and values that amend's own variants read, and would have read,
	// had each row held its preamble (engine.Stats).
	KVRead  int `json:"kv_cells_read,omitempty"`
	KVWhole int `json:"kv_cells_whole,omitempty"`

	ratios []float64 // of turns, in ascending order

	*TextCounts // of the text workload; nil for the others
}

// variant fills in what follows from the counts and the time.
func variant(name string, rows, decoded, computed, reused int, wall time.Duration) Variant {
	s := wall.Seconds()
	return Variant{
		Name: name, Rows: rows, WallS: s, WallSPerRow: s / float64(rows), DecodeTokS: float64(decoded) / s,
		Decoded: decoded, Computed: computed, Reused: reused,
	}
}

// spent notes where amend's time went.
func (v *Variant) spent(s engine.Stats) {
	v.PrefillS, v.DecodeS, v.DecodeSteps = s.PrefillTime.Seconds(), s.DecodeTime.Seconds(), s.Steps
	v.KVRead, v.KVWhole = s.KVRead, s.KVWhole
}

// compare fills in the ratios to the variant named amend, by wall time a row: of
// several turns the median of their ratios.
func (r *Report) compare() {
	ours := 0.0
	for _, v := range r.Variants {
		if v.Name == Amend {
			ours = v.WallSPerRow
		}
	}
	if ours == 0 {
		return
	}
	r.Ratios = map[string]float64{}
	for _, v := range r.Variants {
		switch {
		case v.Name == Amend:
		case len(v.ratios) > 0:
			r.Ratios[v.Name] = median(v.ratios, cmp.Compare)
		default:
			r.Ratios[v.Name] = v.WallSPerRow / ours
		}
	}
}

// Names of the variants that are amend's own.
const (
	Amend        = "amend"
	NoReuse      = "amend no-reuse"      // every prompt from its first token
	PrefixCopied = "amend prefix-copied" // the preamble is copied to every sequence
	PrefixCache  = "amend prefix-cache"  // one conversation's last prompt is all that is kept
)
