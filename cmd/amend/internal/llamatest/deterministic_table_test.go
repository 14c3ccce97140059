package llamatest

import (
	"cmp"
	"flag"
	"fmt"
	"strings"
	"testing"

	"amend/engine/llama"
)

var deterministicTable = flag.Bool("deterministic.table", false, "print what other settings change")

// TestWhatOtherSettingsChange prints which settings make logits depend on how a
// sequence was computed; nothing is asserted.
func TestWhatOtherSettingsChange(t *testing.T) {
	if !*deterministicTable {
		t.Skip("only measures; -deterministic.table runs it")
	}
	for _, quant := range append(exactQuants(), "Q5_K_M", "IQ4_XS", "IQ3_S") {
		for _, shape := range exactShapes() {
			path, ok := exactFile(t, shape, quant)
			if !ok {
				continue
			}
			for _, setting := range exactSettings(quant) {
				var said []string
				for _, d := range exactDifferences(t, path, setting) {
					said = append(said, fmt.Sprintf("%s (%.1g)", d.way, d.worst))
				}
				t.Logf("| %s | %s | %s | %s |", quant, shape, setting.name, cmp.Or(strings.Join(said, ", "), "no"))
			}
		}
	}
}

// exactSettings are those to measure with a type: attention does not depend on it.
func exactSettings(quant string) []exactSetting {
	settings := []exactSetting{{name: "repacked", repack: true, flash: llama.FlashOff}}
	switch {
	case strings.HasPrefix(quant, "IQ"):
		settings = append(settings, deterministicSetting())
	case quant == "F16":
		settings = append(settings, exactSetting{name: "unified", unified: true, flash: llama.FlashOff}, exactSetting{name: "flash attention", flash: llama.FlashOn})
	}
	return settings
}
