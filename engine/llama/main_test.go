package llama

import (
	"fmt"
	"os"
	"testing"
)

// workerVariable makes the test binary serve as a template worker.
const workerVariable = "AMEND_TEST_TEMPLATE_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(workerVariable) != "" {
		if err := TemplateWorker(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// testWorker is the argv of a template worker.
func testWorker(t testing.TB) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return []string{"/usr/bin/env", workerVariable + "=1", exe}
}
