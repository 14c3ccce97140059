package export

import (
	"flag"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"amend/engine"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/engine/runstore"
)

var benchRows = flag.Int("bench.rows", 2000, "rows of the run of BenchmarkLargeRun")

// BenchmarkLargeRun measures what a large run costs to open, to continue, to count and to export, and the memory that
// each takes at most. Rows are of two rounds and some 7 KB.
//
//	go test ./engine/export -run - -bench LargeRun -benchtime 1x -args -bench.rows 100000
func BenchmarkLargeRun(b *testing.B) {
	dir := filepath.Join(b.TempDir(), "run")
	r, _, err := runstore.Open(dir, runstore.Manifest{}, runstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for i := range *benchRows {
		if err := r.Append(largeRow(i)); err != nil {
			b.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	measure := func(name string, f func(b *testing.B) error) {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				peak := watch()
				if err := f(b); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(peak())/1e6, "MB")
			}
		})
	}
	measure("open", func(*testing.B) error {
		r, _, err := runstore.Open(dir, runstore.Manifest{}, runstore.Options{})
		if err != nil {
			return err
		}
		return r.Close()
	})
	measure("stats", func(*testing.B) error {
		_, rows, err := runstore.Read(dir)
		if err != nil {
			return err
		}
		s, err := runstore.Count(rows)
		if err == nil && s.Rows != *benchRows {
			err = fmt.Errorf("%d rows", s.Rows)
		}
		return err
	})
	for _, o := range []Options{
		{Format: SFT, Encoding: JSONL, ShardBytes: 256e6, Hygiene: true},
		{Format: DPO, Encoding: Parquet, ShardBytes: 256e6, Hygiene: true},
		{Format: SFT, Encoding: Parquet, ShardBytes: 256e6, Hygiene: true, NearDuplicates: 0.8},
	} {
		measure(fmt.Sprintf("export/%s-%s-%v", o.Format, o.Encoding, o.NearDuplicates), func(b *testing.B) error {
			_, rows, err := runstore.Read(dir)
			if err != nil {
				return err
			}
			_, err = Write(filepath.Join(b.TempDir(), "set"), Source{Rows: rows}, o)
			return err
		})
	}
}

// largeRow has five turns of some 150 tokens, no two rows alike.
func largeRow(i int) revise.Record {
	rec := revise.Record{ID: fmt.Sprintf("row-%06d", i), Index: i, Messages: []chat.Message{{Role: "user", Text: fmt.Sprintf("Question %d?", i)}}}
	for t, kind := range []revise.Kind{revise.Response, revise.Critique, revise.Revision, revise.Critique, revise.Revision} {
		turn := revise.Turn{Kind: kind, Round: (t + 1) / 2, Text: strings.Repeat(fmt.Sprintf("word%d-%d and ", i, t), 40), End: engine.EndToken, Prompt: 1400, Reused: 1300, Decoded: 150}
		if kind != revise.Response {
			turn.Principle, turn.Request = fmt.Sprint("p", i%16), "Say what is wrong with the last answer, and quote it."
		}
		for n := range 150 {
			turn.Tokens = append(turn.Tokens, engine.Token(n*i%49152))
		}
		rec.Turns = append(rec.Turns, turn)
	}
	return rec
}

// watch follows the memory that Go has in use; the function that it returns ends that and gives the most there was.
func watch() (peak func() uint64) {
	runtime.GC()
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var m runtime.MemStats
		var top uint64
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		for {
			runtime.ReadMemStats(&m)
			top = max(top, m.HeapAlloc)
			select {
			case <-ticks.C:
			case <-stop:
				most <- top
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-most }
}
