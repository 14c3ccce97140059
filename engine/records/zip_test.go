package records

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
)

// TestZipInZip: archives are opened in one another, and not for ever.
func TestZipInZip(t *testing.T) {
	inner := "{\"prompt\":1}\n"
	for depth := 1; depth <= maxLayers+1; depth++ {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create([]string{"a.jsonl", "a.zip"}[min(depth-1, 1)])
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, inner)
		z.Close()
		inner = b.String()
		if got, err := read("-", inner, 0); (err == nil) != (depth <= maxLayers) {
			t.Errorf("%d archives: %s, %v", depth, got, err)
		}
	}
}

// TestZipRefused: what an archive holds that cannot be read, or could be read wrongly, is refused by name.
func TestZipRefused(t *testing.T) {
	for want, files := range map[string][]zip.FileHeader{
		"two files named a.jsonl":                 {{Name: "a.jsonl"}, {Name: "a.jsonl"}},
		"a.jsonl in the zip archive is encrypted": {{Name: "a.jsonl", Flags: 1}},
		"OpenDocument":                            {{Name: "mimetype"}, {Name: "content.xml"}},
		"Office document":                         {{Name: "[Content_Types].xml"}},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, f := range files {
			w, err := z.CreateHeader(&f)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(w, "{\"prompt\":1}\n")
		}
		z.Close()
		if got, err := read("-", b.String(), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, %v", want, got, err)
		}
	}
}
