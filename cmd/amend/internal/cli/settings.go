package cli

import (
	"errors"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"amend/cmd/amend/internal/app"
	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/render"
	"amend/engine/runstore"
)

// A setting is a field of a config struct. Its yaml tag is its key in a config file and the name of its flag.

// overlay copies the settings whose flags were given. A flag that was given with the default's value counts as given.
func overlay[C any](to, from *C, flags *pflag.FlagSet) {
	target, source := app.Settings(reflect.ValueOf(to).Elem()), app.Settings(reflect.ValueOf(from).Elem())
	flags.Visit(func(f *pflag.Flag) {
		if field, ok := target[f.Name]; ok {
			field.Set(source[f.Name])
		}
	})
}

// message is an error as the command line tells it: settings are named as flags, several of them on a line each.
func message(err error) string {
	if text := inFull(err); text != "" {
		return text
	}
	if lines := problems(err); lines != nil {
		return strings.Join(lines, "\n")
	}
	var field *failure.FieldError
	if errors.As(err, &field) {
		return strings.Replace(err.Error(), field.Error(), "--"+field.Error(), 1)
	}
	return err.Error()
}

// problems are the lines of an error about the input, or of several joined; nil for another one.
func problems(err error) (lines []string) {
	switch err := err.(type) { //nolint:errorlint // what is wrapped has more to say
	case *failure.FieldError:
		return []string{"--" + err.Error()}
	case *failure.InputError:
		if field := new(failure.FieldError); !errors.As(err, &field) {
			return []string{err.Error()}
		}
	case interface{ Unwrap() []error }:
		for _, e := range err.Unwrap() {
			more := problems(e)
			if more == nil {
				return nil
			}
			lines = append(lines, more...)
		}
	}
	return lines
}

// inFull is an error that takes more than a line: why a run is not continued, or which models are at hand. It is empty for
// another one.
func inFull(err error) string {
	var (
		text         strings.Builder
		constitution *app.ConstitutionChangedError
		changed      *runstore.ChangedError
		noModel      *app.NoModelError
		failed       error
	)
	switch {
	case errors.As(err, &noModel):
		failed = render.NoModel(&text, noModel)
	case errors.As(err, &constitution):
		failed = render.ConstitutionChanged(&text, constitution)
	case errors.As(err, &changed):
		failed = render.Refused(&text, changed)
	}
	if failed != nil {
		return ""
	}
	return text.String()
}
