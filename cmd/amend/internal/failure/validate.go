package failure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Range refuses a number outside its range, whose ends belong to it. A value that is not a number is outside.
func Range[N int | uint64 | float64](field string, value, least, most N) error {
	if value >= least && value <= most {
		return nil
	}
	return &FieldError{Field: field, Value: value, Want: fmt.Sprintf("must be from %v to %v", least, most)}
}

// OneOf refuses a value that is not among some.
func OneOf[T ~string](field string, value T, among ...T) error {
	if slices.Contains(among, value) {
		return nil
	}
	names := make([]string, len(among))
	for i, a := range among {
		names[i] = string(a)
	}
	return &FieldError{Field: field, Value: strconv.Quote(string(value)), Want: "must be " + strings.Join(names, ", ")}
}

// Missing says that a setting is needed.
func Missing(field, what string) error {
	if what != "" {
		what = ": " + what
	}
	return &FieldError{Field: field, Want: "is missing" + what}
}
