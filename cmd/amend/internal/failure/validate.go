package failure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"amend/engine/nearest"
)

// Range refuses a number outside its range, whose ends belong to it. A value that is not a number is outside.
func Range[N int | uint64 | float64](field string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return &FieldError{Field: field, Value: value, Want: fmt.Sprintf("must be from %v to %v", least, most)}
}

// OneOf refuses a value that is not among some, and names the nearest of them.
func OneOf[T ~string](field string, value T, among ...T) error {
	if slices.Contains(among, value) {
		return nil
	}
	names := make([]string, len(among))
	for i, a := range among {
		names[i] = string(a)
	}
	want := "must be " + strings.Join(names, ", ")
	if near := nearest.Names(string(value), names); len(near) > 0 {
		want += "; the nearest are " + strings.Join(near, ", ")
	}
	return &FieldError{Field: field, Value: strconv.Quote(string(value)), Want: want}
}

// Missing says that a setting is needed.
func Missing(field, what string) error {
	if what != "" {
		what = ": " + what
	}
	return &FieldError{Field: field, Want: "is missing" + what}
}
