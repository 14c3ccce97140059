package digesttest_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"amend/engine/digest/digesttest"
)

type inner struct {
	Number int `key:"none"`
	Text   string
}

type outer struct {
	On      bool       `key:"turn,run"`
	Array   [2]float64 `key:"run"`
	List    []inner    `key:"run"`
	Pointer *inner     `key:"run"`
	Nil     *inner     `key:"run"`
	Plain   *[2]int    `key:"run"` // not entered: it has no tags
}

// TestFields: each part of a value is changed alone, and nothing stays changed.
func TestFields(t *testing.T) {
	v := outer{List: []inner{{}, {Number: 3}}, Pointer: &inner{Number: 2}, Plain: new([2]int)}
	list, pointer, was := v.List, v.Pointer, fmt.Sprintf("%+v", v)
	tags := map[string]string{}
	digesttest.Fields(t, &v, func(path string, keys []string) {
		if fmt.Sprintf("%+v", v) == was {
			t.Errorf("%s is not changed", path)
		}
		if !reflect.DeepEqual(list, []inner{{}, {Number: 3}}) || *pointer != (inner{Number: 2}) {
			t.Errorf("%s is changed where others see it", path)
		}
		tags[path] = fmt.Sprint(keys)
	})
	if fmt.Sprintf("%+v", v) != was {
		t.Errorf("left as %+v", v)
	}
	want := map[string]string{
		"On": "[turn run]", "Array[0]": "[run]", "Array[1]": "[run]", "Nil": "[run]", "Plain": "[run]",
		"List": "[run]", "List[0].Number": "[none]", "List[0].Text": "[run]", "List[1].Number": "[none]", "List[1].Text": "[run]",
		"Pointer": "[run]", "Pointer.Number": "[none]", "Pointer.Text": "[run]",
	}
	if !maps.Equal(tags, want) {
		t.Errorf("changed %v, want %v", slices.Sorted(maps.Keys(tags)), slices.Sorted(maps.Keys(want)))
	}
}
