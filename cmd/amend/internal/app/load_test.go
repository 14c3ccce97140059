package app

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"amend/engine/enginetest/need"
)

// TestMeter: a machine on which another process keeps every CPU busy is not quiet.
func TestMeter(t *testing.T) {
	if _, ok := machineTime(); !ok {
		need.Unmet(t, need.Linux, "only Linux says what other processes compute")
	}
	m := startMeter()
	const spin = `for i in $(seq $(nproc)); do (while :; do :; done) & done; wait`
	others := exec.Command("timeout", "1", "sh", "-c", spin)
	others.Stderr = os.Stderr
	if err := others.Start(); err != nil {
		t.Fatal(err)
	}
	_ = others.Wait() // timeout ends it
	if m.quiet() {
		t.Errorf("quiet, though others computed for %v", time.Since(m.start))
	}
}

// TestMeterOwn: what this process computes is not work of others.
func TestMeterOwn(t *testing.T) {
	all, ok := machineTime()
	if !ok {
		need.Unmet(t, need.Linux, "only Linux says what other processes compute")
	}
	own := processTime()
	for processTime()-own < 200*time.Millisecond {
	}
	after, _ := machineTime()
	if after-all < 100*time.Millisecond {
		t.Errorf("the machine computed %v while this process computed %v", after-all, processTime()-own)
	}
}
