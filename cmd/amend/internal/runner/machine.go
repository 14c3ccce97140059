package runner

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"

	"amend/engine/llama"
	"amend/engine/runstore"
)

// Machine describes this machine for a manifest.
func Machine() runstore.Machine {
	m := runstore.Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	devices, err := llama.Devices()
	if err != nil {
		return m // no backend: the context's creation says so with its reason
	}
	for _, d := range devices {
		if d.Type == llama.DeviceCPU {
			m.CPU = strings.TrimSpace(d.Description)
		}
	}
	return m
}

// FreeMemory is how many bytes a KV cache may count on once the model is
// loaded: of the GPU when layers go to one, else of main memory. Mapped weights
// count as free there until they are used, so they are taken off.
func FreeMemory(modelBytes uint64, gpuLayers int) (uint64, error) {
	devices, err := llama.Devices()
	if err != nil {
		return 0, err
	}
	var free uint64
	for _, d := range devices {
		switch {
		case d.Type == llama.DeviceCPU:
			free = d.MemoryFree
		case d.Type == llama.DeviceGPU && gpuLayers != 0:
			return max(1, d.MemoryFree), nil
		}
	}
	if available, ok := linuxAvailable(); ok {
		free = available // ggml counts the page cache as used
	}
	return less(free, modelBytes), nil
}

func less(a, b uint64) uint64 {
	if a <= b {
		return 1 // 0 would say that it is not known
	}
	return a - b
}

// linuxAvailable reads MemAvailable, which counts what can be reclaimed.
func linuxAvailable() (uint64, bool) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	defer func() { _ = f.Close() }() // only read
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib uint64
		if n, _ := fmt.Sscanf(s.Text(), "MemAvailable: %d kB", &kib); n == 1 {
			return kib << 10, true
		}
	}
	return 0, false
}

// UsesGPU reports whether layers go to a GPU that is there.
func UsesGPU(gpuLayers int) (bool, error) {
	devices, err := llama.Devices()
	if err != nil {
		return false, err
	}
	for _, d := range devices {
		if (d.Type == llama.DeviceGPU || d.Type == llama.DeviceIGPU) && gpuLayers != 0 {
			return true, nil
		}
	}
	return false, nil
}

// FlashAttention is off on a CPU: there it is the slower way at every depth
// that was measured, and its results change with the size of prefill chunks
// (docs/design/exactness.md). On a GPU llama.cpp decides.
func FlashAttention(gpuLayers int) (llama.FlashAttn, error) {
	gpu, err := UsesGPU(gpuLayers)
	if err != nil || !gpu {
		return llama.FlashOff, err
	}
	return llama.FlashAuto, nil
}
