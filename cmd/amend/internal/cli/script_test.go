package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"amend/cmd/amend/internal/runner"
	"amend/engine/runstore"
	"amend/models"
)

// TestMain makes the test binary also be amend, for the scripts and for the
// template process that amend starts from its own file.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"amend": func() {
			passedOn := dieAsTold()
			code := Main(Build{Version: "dev"}, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
			passedOn()
			os.Exit(code)
		},
	})
}

// TestScripts runs the command line as a person would: testdata/script. The
// scripts have $TINY, a model of random weights with SmolLM2's tokenizer and
// template; what it writes is noise, how amend behaves is not.
func TestScripts(t *testing.T) {
	tiny := tinyModel(t)
	lora, foreign := tinyAdapter(t, tiny, ""), tinyAdapter(t, tiny, strings.Repeat("0", 64))
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("TINY", tiny)
			env.Setenv("LORA", lora)       // an adapter of it
			env.Setenv("FOREIGN", foreign) // one that says that it is of another model
			env.Setenv("LD_LIBRARY_PATH", os.Getenv("LD_LIBRARY_PATH"))
			env.Setenv("DYLD_LIBRARY_PATH", os.Getenv("DYLD_LIBRARY_PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exit": exitIs, "sql": sql, "claim": claim, "serve": chatServers},
	})
}

// claim has a run directory in use, by this process, until the script ends: claim DIR
func claim(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: claim DIR")
	}
	free, err := runstore.Claim(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() {
		if err := free(); err != nil {
			ts.Logf("freeing %s: %v", args[0], err)
		}
	})
}

// exitIs runs a command and wants an exit code: exit CODE COMMAND ARG…
func exitIs(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil {
		ts.Fatalf("usage: exit CODE COMMAND ARG…")
	}
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d", args[1:], got, want)
	}
}

// sql changes a database behind amend's back: sql FILE STATEMENT
func sql(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	conn, err := sqlite.OpenConn(ts.MkAbs(args[0]), sqlite.OpenReadWrite)
	ts.Check(err)
	ts.Check(errors.Join(sqlitex.ExecuteTransient(conn, args[1], nil), conn.Close()))
}

// tinyAdapter writes a LoRA adapter of rank 1 for the queries of the first layer of a model. Without a base it says that
// it is the model's.
func tinyAdapter(t *testing.T, model, base string) string {
	t.Helper()
	m, err := models.Open(model)
	if err != nil {
		t.Fatal(err)
	}
	if base == "" {
		if base, err = m.SHA256(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	at := slices.IndexFunc(m.Parts[0].Tensors, func(x models.Tensor) bool { return x.Name == "blk.0.attn_q.weight" })
	in, out := m.Parts[0].Tensors[at].Dims[0], m.Parts[0].Tensors[at].Dims[1]
	var text bytes.Buffer
	w, err := models.NewWriter(&text, []models.KV{
		{Key: "general.type", Value: "adapter"}, {Key: "general.architecture", Value: "llama"}, {Key: "adapter.type", Value: "lora"},
		{Key: "adapter.lora.alpha", Value: float32(8)}, {Key: runner.BaseKey, Value: base},
	}, []models.Tensor{
		{Name: "blk.0.attn_q.weight.lora_a", Dims: []uint64{in, 1}}, {Name: "blk.0.attn_q.weight.lora_b", Dims: []uint64{1, out}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []uint64{in, out} {
		var b []byte
		for i := range n {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(i%7)))
		}
		if _, err := w.Write(b); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "lora.gguf")
	if err := errors.Join(w.Close(), os.WriteFile(path, text.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return path
}

// tinyModel makes a model of random weights, with SmolLM2's tokenizer and
// template, until the test ends.
func tinyModel(t *testing.T) string {
	t.Helper()
	path, err := models.CachesFrom(os.Getenv).Resolve("smollm2")
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := models.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := models.ParseShape("tiny")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "tiny.gguf")
	if _, err := models.Synth(t.Context(), out, models.Spec{Shape: shape, Quant: "Q8_0", Seed: 1, Tokenizer: tokenizer}, false, nil); err != nil {
		t.Fatal(err)
	}
	return out
}
