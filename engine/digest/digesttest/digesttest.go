// Package digesttest checks that the key tags of settings (package digest) are true, for tests only.
package digesttest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Keys lists what a key tag may hold.
func Keys() []string { return []string{"turn", "run", "states", "none"} }

// Fields changes the fields of the struct that v points to, one after another, and calls check with the field's path, its
// key tag, and one field changed in *v. Fields of nested structs, elements of lists and what pointers to tagged structs hold
// are changed one at a time; a list is also made longer. What has no tag has that of the field it is in. A field without any
// tag, or with a word that is not in Keys, is an error.
func Fields(t *testing.T, v any, check func(path string, keys []string)) {
	t.Helper()
	c := changer{t, check}
	c.fields(reflect.ValueOf(v).Elem(), "", "")
}

// Each is Fields for a struct that has no tags.
func Each(t *testing.T, v any, check func(path string)) {
	t.Helper()
	c := changer{t, func(path string, _ []string) { check(path) }}
	c.fields(reflect.ValueOf(v).Elem(), "", "none")
}

// changer changes values in their places.
type changer struct {
	t     *testing.T
	check func(path string, keys []string)
}

func (c changer) fields(v reflect.Value, before, inherited string) {
	c.t.Helper()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag := field.Tag.Get("key")
		if tag == "" {
			tag = inherited
		}
		if field.Type.Kind() == reflect.Struct {
			c.fields(v.Field(i), before+field.Name+".", tag)
			continue
		}
		for _, k := range strings.Split(tag, ",") {
			if !slices.Contains(Keys(), k) {
				c.t.Errorf("%s.%s has the key tag %q: it must be a list of %v", v.Type(), field.Name, tag, Keys())
			}
		}
		c.value(v.Field(i), before+field.Name, tag)
	}
}

// value changes v, in every way that its kind has, and puts back what was there.
func (c changer) value(v reflect.Value, path, tag string) {
	c.t.Helper()
	was := reflect.New(v.Type()).Elem()
	was.Set(v)
	defer v.Set(was)
	switch v.Kind() {
	case reflect.Struct:
		c.fields(v, path+".", tag)
		return
	case reflect.Array:
		c.elements(v, path, tag)
		return
	case reflect.Slice:
		v.Set(reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v))
		c.elements(v, path, tag)
		v.Set(was)
	case reflect.Pointer:
		if !v.IsNil() && isTagged(v.Type().Elem()) {
			v.Set(reflect.New(v.Type().Elem()))
			v.Elem().Set(was.Elem())
			c.fields(v.Elem(), path+".", tag)
		}
	}
	if !alter(v) {
		c.t.Errorf("%s: no way to change a %s", path, v.Type())
		return
	}
	c.check(path, strings.Split(tag, ","))
}

func (c changer) elements(v reflect.Value, path, tag string) {
	c.t.Helper()
	for i := range v.Len() {
		c.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i), tag)
	}
}

// isTagged reports whether a type is a struct with a key tag.
func isTagged(typ reflect.Type) bool {
	if typ.Kind() != reflect.Struct {
		return false
	}
	for i := range typ.NumField() {
		if typ.Field(i).Tag.Get("key") != "" {
			return true
		}
	}
	return false
}

// alter gives a value another one. A slice gets longer and a map gets a key more, each in a copy.
func alter(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Uint64:
		v.SetUint(v.Uint() + 1)
	case reflect.Float64:
		v.SetFloat(v.Float() + 0.0625)
	case reflect.Slice:
		v.Set(reflect.Append(v.Slice3(0, v.Len(), v.Len()), reflect.Zero(v.Type().Elem())))
	case reflect.Map:
		return alterMap(v)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		} else {
			v.SetZero()
		}
	case reflect.Func:
		if !v.IsNil() {
			v.SetZero()
			return true
		}
		v.Set(reflect.MakeFunc(v.Type(), func([]reflect.Value) []reflect.Value {
			out := make([]reflect.Value, v.Type().NumOut())
			for i := range out {
				out[i] = reflect.Zero(v.Type().Out(i))
			}
			return out
		}))
	default:
		return false
	}
	return true
}

// alterMap puts a map in the place of v that has one key more.
func alterMap(v reflect.Value) bool {
	m, key := reflect.MakeMap(v.Type()), reflect.New(v.Type().Key()).Elem()
	for _, k := range v.MapKeys() {
		m.SetMapIndex(k, v.MapIndex(k))
	}
	for m.MapIndex(key).IsValid() {
		if !alter(key) {
			return false
		}
	}
	m.SetMapIndex(key, reflect.Zero(v.Type().Elem()))
	v.Set(m)
	return true
}
