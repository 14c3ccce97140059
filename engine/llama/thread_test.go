package llama_test

import (
	"os"
	"runtime"
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
