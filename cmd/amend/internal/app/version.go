package app

import "amend/cmd/amend/internal/runner"

// VersionReport says what this amend is made of.
type VersionReport struct {
	Amend       string        `json:"amend"`
	LlamaCpp    LlamaCppBuild `json:"llama_cpp"`
	CPUFeatures []string      `json:"cpu_features"` // that llama.cpp uses here
}

// LlamaCppBuild names the llama.cpp that amend was built with.
type LlamaCppBuild struct {
	Version string `json:"version"` // of the library that is loaded
	// Tree is the git tree of its source, before amend's patches (third_party/llama.env). The source comes without its
	// history, so its commit is not known. It is empty where the build does not say.
	Tree string `json:"tree,omitempty"`
}

// Version reports env's version and that of llama.cpp. Where no CPU backend is found the error says so, and the rest of
// the report holds.
func Version(env Env, llamaTree string) (VersionReport, error) {
	features, err := runner.CPUFeatures()
	if features == nil {
		features = []string{}
	}
	return VersionReport{
		Amend: env.Version, LlamaCpp: LlamaCppBuild{Version: runner.LlamaVersion(), Tree: llamaTree}, CPUFeatures: features,
	}, err
}
