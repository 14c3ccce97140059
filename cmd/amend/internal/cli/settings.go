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
	target, source := settings(reflect.ValueOf(to).Elem()), settings(reflect.ValueOf(from).Elem())
	flags.Visit(func(f *pflag.Flag) {
		if field, ok := target[f.Name]; ok {
			field.Set(source[f.Name])
		}
	})
}

// settings returns the fields of a config by name, including those of inlined structs.
func settings(config reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range config.NumField() {
		name, options, _ := strings.Cut(config.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			for k, v := range settings(config.Field(i)) {
				out[k] = v
			}
		case name != "" && name != "-":
			out[name] = config.Field(i)
		}
	}
	return out
}

// message returns the text of an error, with settings named as flags.
func message(err error) string {
	if field, ok := err.(*failure.FieldError); ok { //nolint:errorlint // a wrapped one is found below, with what wraps it
		return "--" + field.Error()
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var lines []string
		for _, e := range many.Unwrap() {
			lines = append(lines, message(e))
		}
		return strings.Join(lines, "\n")
	}
	if text := refusal(err); text != "" {
		return text
	}
	var field *failure.FieldError
	if errors.As(err, &field) {
		return strings.Replace(err.Error(), field.Error(), "--"+field.Error(), 1)
	}
	return err.Error()
}

// refusal is why a run is not continued, in full; empty where an error is another one.
func refusal(err error) string {
	var (
		text         strings.Builder
		constitution *app.ConstitutionChangedError
		changed      *runstore.ChangedError
		failed       error
	)
	switch {
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
