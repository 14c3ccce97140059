package llama_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"amend/engine/enginetest/need"
	"amend/engine/llama"
)

// TestOneTeamOfWorkers: a context that is asked by many threads computes on the
// same ones. Without a pool of its own llama.cpp starts threads for each graph.
func TestOneTeamOfWorkers(t *testing.T) {
	threads := func() int {
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			need.Unmet(t, need.Linux, "only Linux says how many threads there are: %v", err)
		}
		return len(tasks)
	}
	const callers, workers = 8, 4
	c := openContext(t, openTiny(t), llama.ContextParams{Ctx: 256, SeqMax: 1, Threads: workers, ThreadsBatch: workers})
	decode(t, c, 0, 0, []llama.Token{1})
	ready, turn := make(chan bool), make(chan int32)
	for range callers {
		go func() {
			runtime.LockOSThread() // and leaves it locked: the thread ends with the goroutine
			ready <- true
			for at := range turn {
				decode(t, c, 0, at, []llama.Token{1})
				ready <- true
			}
		}()
	}
	for range callers {
		<-ready
	}
	before := threads()
	for i := range int32(callers) { // whoever waits longest takes the next
		turn <- 1 + i
		<-ready
	}
	// The Go runtime may add a thread or two of its own.
	if more := threads() - before; more >= callers*(workers-1)/2 {
		t.Errorf("%d threads more after %d threads asked", more, callers)
	}
	close(turn)
}

// TestThreadsAreBound: with as many threads as CPUs each has one of its own, no thread of Go is bound, and all end with
// the context. With other numbers none is bound.
func TestThreadsAreBound(t *testing.T) {
	cpus := runtime.NumCPU()
	if cpus < 2 {
		need.Unmet(t, need.Linux, "with one CPU every thread is bound to it")
	}
	bound := func() int {
		files, err := filepath.Glob("/proc/self/task/*/status")
		if err != nil || len(files) == 0 {
			need.Unmet(t, need.Linux, "only Linux says which CPUs a thread may use: %v", err)
		}
		n := 0
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue // the thread has ended
			}
			_, list, _ := strings.Cut(string(text), "Cpus_allowed_list:")
			list, _, _ = strings.Cut(strings.TrimSpace(list), "\n")
			if _, err := strconv.Atoi(list); err == nil {
				n++
			}
		}
		return n
	}
	m := openTiny(t)
	for threads, want := range map[int]int{cpus: cpus, cpus + 1: 0, 1: 0} {
		before := bound()
		c, err := m.NewContext(llama.ContextParams{Ctx: 256, SeqMax: 1, Threads: threads, ThreadsBatch: threads})
		if err != nil {
			t.Fatal(err)
		}
		decode(t, c, 0, 0, []llama.Token{1})
		if got := bound() - before; got != want {
			t.Errorf("%d threads on %d CPUs: %d are bound, want %d", threads, cpus, got, want)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if got := bound() - before; got != 0 {
			t.Errorf("%d threads: %d bound ones outlive their context", threads, got)
		}
	}
}
