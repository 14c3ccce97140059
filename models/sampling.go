package models

import "strconv"

// Sampling is how a model's maker recommends to draw its tokens (general.sampling.*). What the file does not say has the
// value that changes nothing.
type Sampling struct {
	Temperature       float64
	TopK              int
	TopP              float64
	MinP              float64
	RepetitionPenalty float64
	PenaltyWindow     int // tokens; 0: all
}

// Sampling returns what the file recommends; ok is false where it gives no temperature: without one the rest says little.
func (m *Model) Sampling() (s Sampling, ok bool) {
	const prefix = "general.sampling."
	f := m.Parts[0]
	s = Sampling{TopP: 1, RepetitionPenalty: 1}
	for key, value := range map[string]*float64{"temp": &s.Temperature, "top_p": &s.TopP, "min_p": &s.MinP, "penalty_repeat": &s.RepetitionPenalty} {
		if given, is := f.Value(prefix + key).(float32); is {
			*value = shortest(given)
			ok = ok || key == "temp"
		}
	}
	for key, value := range map[string]*int{"top_k": &s.TopK, "penalty_last_n": &s.PenaltyWindow} {
		if given, is := f.Value(prefix + key).(int32); is && given > 0 { // below 0: all
			*value = int(given)
		}
	}
	return s, ok
}

// shortest is the number that a file's maker wrote: 0.7, where the nearest float32 is 0.69999998807907.
func shortest(f float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return d
}
