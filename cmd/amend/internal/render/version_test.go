package render

import (
	"strings"
	"testing"

	"amend/cmd/amend/internal/app"
)

func TestVersion(t *testing.T) {
	for want, v := range map[string]app.VersionReport{
		"amend     1.2.3+abc\nllama.cpp 0.5.0, tree fd57\ncpu       SSE3 AVX2\n": {
			Amend: "1.2.3+abc", LlamaCpp: app.LlamaCppBuild{Version: "0.5.0", Tree: "fd57"}, CPUFeatures: []string{"SSE3", "AVX2"},
		},
		"amend     dev\nllama.cpp 0.5.0\ncpu       none\n": {Amend: "dev", LlamaCpp: app.LlamaCppBuild{Version: "0.5.0"}},
	} {
		var out strings.Builder
		if err := Version(&out, v); err != nil || out.String() != want {
			t.Errorf("%v, got\n%s\nwant\n%s", err, &out, want)
		}
	}
}
