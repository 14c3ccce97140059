// Package digesttest checks that the key tags of settings (package digest) are true, for tests only.
package digesttest

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Keys lists what a key tag may hold.
func Keys() []string { return []string{"turn", "run", "states", "none"} }

// Fields changes the fields of the struct that v points to, one after another, and calls check with the field's path, its
// key tag, and one field changed in *v. Fields of nested structs are changed one at a time; those without a tag have that of
// the struct they are in. A field without any tag, or with a word that is none of Keys, is an error.
func Fields(t *testing.T, v any, check func(path string, keys []string)) {
	t.Helper()
	fields(t, reflect.ValueOf(v).Elem(), "", "", check)
}

func fields(t *testing.T, v reflect.Value, path, inherited string, check func(path string, keys []string)) {
	t.Helper()
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, tag := path+field.Name, field.Tag.Get("key")
		if tag == "" {
			tag = inherited
		}
		if field.Type.Kind() == reflect.Struct {
			fields(t, v.Field(i), name+".", tag, check)
			continue
		}
		keys := strings.Split(tag, ",")
		for _, k := range keys {
			if !slices.Contains(Keys(), k) {
				t.Errorf("%s.%s has the key tag %q: it must be a list of %v", v.Type(), field.Name, tag, Keys())
			}
		}
		before := reflect.ValueOf(v.Field(i).Interface())
		if !alter(v.Field(i)) {
			t.Errorf("%s.%s: no way to change a %s", v.Type(), field.Name, field.Type)
			continue
		}
		check(name, keys)
		if before.IsValid() {
			v.Field(i).Set(before)
		} else {
			v.Field(i).SetZero()
		}
	}
}

// alter gives a value another one. Slices and maps are changed in a copy.
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
	case reflect.Array:
		return v.Len() > 0 && alter(v.Index(0))
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
