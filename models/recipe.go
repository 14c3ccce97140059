package models

import (
	"strings"
)

// recipe says how a quantization spreads types over the tensors of a model.
type recipe struct {
	name string
	file FileType
	base Type // of most matrices
}

// recipes lists what Synth can write.
func recipes() []recipe {
	return []recipe{
		{"F32", 0, F32}, {"F16", 1, F16}, {"BF16", 32, BF16}, {"Q8_0", 7, Q8_0},
		{"Q4_0", 2, Q4_0}, {"Q4_1", 3, Q4_1}, {"Q5_0", 8, Q5_0}, {"Q5_1", 9, Q5_1},
		{"Q4_K_S", 14, Q4_K}, {"Q4_K_M", 15, Q4_K}, {"Q5_K_S", 16, Q5_K}, {"Q5_K_M", 17, Q5_K}, {"Q6_K", 18, Q6_K},
	}
}

// Quantizations lists the names that Synth takes as a quantization.
func Quantizations() []string {
	var names []string
	for _, r := range recipes() {
		names = append(names, r.name)
	}
	return names
}

// findRecipe looks a quantization up by name, in any case; Q4_K and Q5_K mean the usual medium mix.
func findRecipe(name string) (recipe, error) {
	want := strings.ToUpper(name)
	if want == "Q4_K" || want == "Q5_K" {
		want += "_M"
	}
	for _, r := range recipes() {
		if r.name == want {
			return r, nil
		}
	}
	return recipe{}, invalidf("quantization %q must be one of %s", name, strings.Join(Quantizations(), ", "))
}

// want is the type that llama_tensor_get_type_impl chooses for a llama or qwen2 matrix whose rows have row
// elements, before it looks whether the row fits.
func (r recipe) want(w weight, layers uint64) Type {
	tr, _ := r.base.traits()
	if w.role == roleVector {
		return F32
	}
	if tr.block == 1 {
		return r.base
	}
	more := w.layer < layers/8 || w.layer >= 7*layers/8 || (w.layer-layers/8)%3 == 2
	medium := r.name == "Q4_K_M" || r.name == "Q5_K_M"
	switch {
	case w.role == roleOutput && w.dims[0]%tr.block != 0:
		return Q8_0
	case w.role == roleOutput && r.base != Q8_0:
		return Q6_K
	case (w.role == roleValue || w.role == roleDown) && medium && more:
		return Q6_K
	case w.role == roleValue && r.name == "Q4_K_S" && w.layer < 4:
		return Q5_K
	case w.role == roleDown && r.name == "Q4_K_S" && w.layer < layers/8:
		return Q5_K
	}
	return r.base
}

// fits is t, or the type that llama.cpp falls back to (tensor_type_fallback) when a row is not a whole
// number of t's blocks.
func fits(t Type, row uint64) Type {
	whole := func(t Type) bool {
		tr, _ := t.traits()
		return row%tr.block == 0
	}
	if whole(t) {
		return t
	}
	switch t {
	case Q4_K:
		t = Q5_0
	case Q5_K:
		t = Q5_1
	case Q6_K:
		t = Q8_0
	default: // the others fall back to F16
	}
	if whole(t) {
		return t
	}
	return F16
}
