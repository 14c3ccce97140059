package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"amend/engine"
	"amend/engine/enginetest"
	"amend/engine/kvfile"
)

// pinRun is a run over a preamble of a fresh engine, as a process would be.
type pinRun struct {
	tokens   [][]engine.Token // of each row
	stats    engine.Stats
	warnings []error
}

// pinPreamble is worth a copy between streams, and two chunks of a batch.
func pinPreamble() []engine.Token { return slices.Repeat([]engine.Token{1, 2, 3, 4, 5}, 9) }

func runPinned(t *testing.T, unified bool, print engine.Fingerprint, store engine.PinStore) pinRun {
	t.Helper()
	var out pinRun
	m := enginetest.New(engine.Limits{Sequences: 4, Context: 80, Cells: 320, Unified: unified, Batch: 32})
	config := engine.Config{Verify: true}
	if store != nil {
		config.Pins = &engine.PinCache{Store: store, Fingerprint: print, Warn: func(msg string, err error) {
			out.warnings = append(out.warnings, fmt.Errorf("%s: %w", msg, err))
		}}
	}
	e, err := engine.New(m, m, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Pin(context.Background(), pinPreamble()); err != nil {
		t.Fatal(err)
	}
	const rows = 6
	out.tokens = make([][]engine.Token, rows)
	for i := range rows {
		r := request(i, 0, append(pinPreamble(), engine.Token(6+i), 9))
		r.Done = func(got engine.Result) { out.tokens[i] = got.Tokens }
		if err := e.Submit(&r); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	out.stats = e.Stats()
	return out
}

func sameTokens(a, b pinRun) bool {
	return slices.EqualFunc(a.tokens, b.tokens, func(x, y []engine.Token) bool { return slices.Equal(x, y) })
}

// TestPinnedPrefixIsLoadedByALaterRun: it is not computed again, counts as
// reused, and every row prints what it prints without.
func TestPinnedPrefixIsLoadedByALaterRun(t *testing.T) {
	for _, unified := range []bool{true, false} {
		dir := kvfile.Dir(t.TempDir())
		without := runPinned(t, unified, engine.Fingerprint{}, nil)
		first := runPinned(t, unified, engine.Fingerprint{Model: "m"}, dir)
		second := runPinned(t, unified, engine.Fingerprint{Model: "m"}, dir)
		n := len(pinPreamble())
		for name, r := range map[string]pinRun{"first": first, "second": second} {
			if len(r.warnings) > 0 || !sameTokens(r, without) {
				t.Errorf("unified=%v, %s run: %v; tokens %v, without a cache %v", unified, name, r.warnings, r.tokens, without.tokens)
			}
		}
		if first.stats.Prefilled != without.stats.Prefilled || first.stats.Reused != without.stats.Reused {
			t.Errorf("unified=%v: the first run computed %d and reused %d tokens, without a cache %d and %d",
				unified, first.stats.Prefilled, first.stats.Reused, without.stats.Prefilled, without.stats.Reused)
		}
		if second.stats.Prefilled != first.stats.Prefilled-n || second.stats.Reused != first.stats.Reused+n {
			t.Errorf("unified=%v: computed %d tokens, then %d; reused %d, then %d; the preamble has %d",
				unified, first.stats.Prefilled, second.stats.Prefilled, first.stats.Reused, second.stats.Reused, n)
		}
		if other := runPinned(t, unified, engine.Fingerprint{Model: "other"}, dir); other.stats.Prefilled != first.stats.Prefilled || len(other.warnings) > 0 {
			t.Errorf("unified=%v: another model computed %d tokens with %v, want all %d and no warning", unified, other.stats.Prefilled, other.warnings, first.stats.Prefilled)
		}
	}
}

// TestBadPinFilesAreIgnored: whatever is wrong with the file, the run says so
// once, computes the preamble, prints the same, and leaves a sound file.
func TestBadPinFilesAreIgnored(t *testing.T) {
	print := engine.Fingerprint{Model: "m"}
	key := print.Key(pinPreamble())
	saved := func(t *testing.T, key string, state []byte) []byte {
		dir := kvfile.Dir(t.TempDir())
		if err := dir.Put(key, state); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(string(dir), key+".kv"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for name, damage := range map[string]func(t *testing.T, sound []byte) []byte{
		"header":         func(t *testing.T, b []byte) []byte { b[2] ^= 1; return b },
		"state":          func(t *testing.T, b []byte) []byte { b[len(b)-5] ^= 0x80; return b },
		"cut":            func(t *testing.T, b []byte) []byte { return b[:len(b)-1] },
		"empty":          func(t *testing.T, b []byte) []byte { return nil },
		"longer":         func(t *testing.T, b []byte) []byte { return append(b, 0) },
		"other key":      func(t *testing.T, b []byte) []byte { return saved(t, engine.Fingerprint{}.Key(nil), []byte("1234")) },
		"refused":        func(t *testing.T, b []byte) []byte { return saved(t, key, []byte("odd")) },
		"too few tokens": func(t *testing.T, b []byte) []byte { return saved(t, key, make([]byte, 4*(len(pinPreamble())-1))) },
		"too many":       func(t *testing.T, b []byte) []byte { return saved(t, key, make([]byte, 4*(len(pinPreamble())+1))) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := kvfile.Dir(t.TempDir())
			want := runPinned(t, false, print, dir)
			file := filepath.Join(string(dir), key+".kv")
			sound, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, damage(t, slices.Clone(sound)), 0o644); err != nil {
				t.Fatal(err)
			}
			got := runPinned(t, false, print, dir)
			if len(got.warnings) != 1 || got.stats.Prefilled != want.stats.Prefilled || !sameTokens(got, want) {
				t.Errorf("warnings %v, %d tokens computed of %d, tokens %v, want %v", got.warnings, got.stats.Prefilled, want.stats.Prefilled, got.tokens, want.tokens)
			}
			if again := runPinned(t, false, print, dir); len(again.warnings) > 0 || again.stats.Prefilled != want.stats.Prefilled-len(pinPreamble()) {
				t.Errorf("the run after: %v, %d tokens computed; the file was not replaced", again.warnings, again.stats.Prefilled)
			}
		})
	}
}

// fullStore has nothing and takes nothing.
type fullStore struct{}

var errFull = errors.New("no space left")

func (fullStore) Get(string) ([]byte, error) { return nil, fs.ErrNotExist }
func (fullStore) Put(string, []byte) error   { return errFull }

func TestPinThatCannotBeSavedIsAWarning(t *testing.T) {
	want := runPinned(t, false, engine.Fingerprint{}, nil)
	got := runPinned(t, false, engine.Fingerprint{}, fullStore{})
	if len(got.warnings) != 1 || !errors.Is(got.warnings[0], errFull) || !sameTokens(got, want) {
		t.Errorf("warnings %v, tokens %v, want one warning and %v", got.warnings, got.tokens, want.tokens)
	}
}

// TestUnpin: after one preamble another can be pinned, and turns behind it are those of an engine that had never seen
// the first.
func TestUnpin(t *testing.T) {
	for _, attach := range []bool{false, true} {
		other := slices.Repeat([]engine.Token{8, 7, 6, 5}, 10)
		run := func(preambles ...[]engine.Token) (tokens [][]engine.Token) {
			limits := engine.Limits{Sequences: 4, Context: 80, Cells: 320, Batch: 32}
			if attach {
				limits.Shared = 64
			}
			m := enginetest.New(limits)
			e, err := engine.New(m, m, engine.Config{Verify: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range preambles {
				if err := e.Pin(t.Context(), p); err != nil {
					t.Fatal(err)
				}
				tokens = make([][]engine.Token, 6)
				for i := range tokens {
					r := request(i, 0, append(slices.Clone(p), engine.Token(6+i), 9))
					r.Done = func(got engine.Result) { tokens[i] = got.Tokens }
					if err := e.Submit(&r); err != nil {
						t.Fatal(err)
					}
				}
				if err := e.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				e.Unpin()
				// What only fits behind a prefix that lies elsewhere does not fit now.
				r := request(9, 0, append(slices.Clone(p), slices.Repeat([]engine.Token{9}, 50)...))
				var long *engine.TooLongError
				r.Done = func(got engine.Result) { errors.As(got.Err, &long) }
				err := e.Submit(&r)
				if err == nil {
					err = e.Run(t.Context())
				}
				if !errors.As(err, &long) && long == nil {
					t.Errorf("attach %v: a prompt of %d tokens has room after Unpin", attach, len(r.Tokens))
				}
			}
			return tokens
		}
		if got, want := run(pinPreamble(), other), run(other); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("attach %v: %v behind a second preamble, want %v", attach, got, want)
		}
	}
}
