package constitution

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// anyText draws a text that YAML could take for something else.
func anyText(r *rapid.T, label string) string {
	odd := rapid.SampledFrom([]string{"false", "null", "~", "1.10", "a: b", "- a", "#", "a #b", "'", "\"", "&a", "*a", "!!bool x", "{text}",
		"a\n\n  b", "a\n\tb", "a\tb", "a  \nb", "<<", "=", "---", "%", "\u0085", "\ufeffa", "é\r\nb", "|-\n  x", "yes", "0x1F", "2001-01-01", "{", "?"})
	return rapid.OneOf(odd, rapid.StringMatching(`[a-z:#\-"' \n\t]{0,20}x`)).Draw(r, label)
}

// drawLayer draws a document with examples of all its principles, a, b and c.
func drawLayer(r *rapid.T) map[string]any {
	var principles, demonstrations, judgements []map[string]any
	for _, id := range []string{"a", "b", "c"} {
		principles = append(principles, map[string]any{"id": id, "title": anyText(r, "title"), "text": anyText(r, "text"), "weight": rapid.Float64Range(0, 1e9).Draw(r, "weight"),
			"framing": rapid.SampledFrom([]string{"positive", "negative"}).Draw(r, "framing")})
		demonstrations = append(demonstrations, map[string]any{"principle": id, "prompt": anyText(r, "prompt"), "response": anyText(r, "response"), "critique": anyText(r, "critique"), "revision": anyText(r, "revision")})
		judgements = append(judgements, map[string]any{"principle": id, "prompt": anyText(r, "prompt"), "a": "1" + anyText(r, "a"), "b": "2" + anyText(r, "b"), "better": "a", "use": rapid.SampledFrom([]string{"show", "test"}).Draw(r, "use")})
	}
	return map[string]any{"name": "low", "description": anyText(r, "description"), "principles": principles, "demonstrations": demonstrations, "judgements": judgements,
		"prompts": map[string]string{"critique_request": "c {text}", "revision_request": "r {text}", "judge_instruction": "j {text}", "verdict_request": "v {text}"}}
}

// TestComposedReadsBack: whatever texts a document holds and whichever of its principles a layer switches off, what is
// written of the composition can be read, as the same document.
func TestComposedReadsBack(t *testing.T) {
	dir := t.TempDir()
	low, high := filepath.Join(dir, "low.yaml"), filepath.Join(dir, "high.yaml")
	put := func(r *rapid.T, path string, layer map[string]any) {
		text, err := json.Marshal(layer) // which is YAML
		if err == nil {
			err = os.WriteFile(path, text, 0o600)
		}
		if err != nil {
			r.Fatal(err)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		put(r, low, drawLayer(r))
		principles := []map[string]any{{"id": "d", "text": anyText(r, "text")}}
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID[string]).Draw(r, "off") {
			principles = append(principles, map[string]any{"id": id, "off": true, "reason": anyText(r, "reason")})
		}
		put(r, high, map[string]any{"name": "high", "principles": principles})
		doc, err := Load(low, high)
		if err != nil {
			if strings.Contains(err.Error(), "missing or empty") || strings.Contains(err.Error(), "no reason given") {
				r.Skip("a text that is only white space")
			}
			r.Fatal(err)
		}
		text, err := doc.YAML()
		if err != nil {
			r.Fatal(err)
		}
		back, err := Parse("back.yaml", text)
		if err != nil {
			r.Fatalf("%s\n%v", text, err)
		}
		if back.Hash() != doc.Hash() || !Diff(doc, back).Empty() || !reflect.DeepEqual(back.Judgements, doc.Judgements) {
			r.Fatalf("%s reads back as another document: %+v", text, Diff(doc, back))
		}
	})
}
