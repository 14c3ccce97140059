package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"amend/cmd/amend/internal/worker"
	"amend/engine/atomicfile"
	"amend/models"
)

// What is kept between commands in the user's cache, each kind in a folder of its own.
const (
	keptTests = "selftests" // what a judge made of known cases
	keptCosts = "stepcosts" // how long passes of one or more sequences take
)

// The methods of a host whose worker keeps results.
const (
	methodRecall = "recall" // a result of an earlier command
	methodKeep   = "keep"   // a result for later ones
)

// keptResult is a result under its key, as it travels.
type keptResult struct {
	Kind, Key string
	Result    json.RawMessage
	OK        bool // it is there
}

// recall returns a result of an earlier command; ok is false where there is none.
func recall[R any](parent *worker.Client, kind, key string) (r R, ok bool, err error) {
	kept, err := worker.Call[keptResult](parent, methodRecall, keptResult{Kind: kind, Key: key})
	if err != nil || !kept.OK {
		return r, false, err
	}
	if err := json.Unmarshal(kept.Result, &r); err != nil {
		return r, false, fmt.Errorf("reading a result of an earlier command (%s %s in the cache): %w", kind, key, err)
	}
	return r, true, nil
}

// keep gives a result to later commands.
func keep(parent *worker.Client, kind, key string, result any) error {
	text, err := json.Marshal(result)
	if err == nil {
		_, err = worker.Call[worker.Nothing](parent, methodKeep, keptResult{Kind: kind, Key: key, Result: text, OK: true})
	}
	return err
}

// once returns what an earlier test of a judge found, or tests it and keeps the result.
func once[R any](parent *worker.Client, kind, key string, run func() (R, error)) (r R, err error) {
	r, ok, err := recall[R](parent, kind, key)
	if err != nil || ok {
		return r, err
	}
	if r, err = run(); err != nil {
		return r, fmt.Errorf("testing the judge: %w", err)
	}
	return r, keep(parent, kind, key, r)
}

// keptResults are results of earlier commands, in the user's cache. Without such a folder nothing is kept.
type keptResults struct {
	dir string
	log *slog.Logger
}

// newKeptResults finds them.
func newKeptResults(log *slog.Logger) keptResults {
	own := models.CachesFrom(os.Getenv).Own
	if own == "" {
		return keptResults{log: log}
	}
	return keptResults{filepath.Dir(own), log}
}

// methods are those by which a worker asks for results.
func (s keptResults) methods(m worker.Methods) worker.Methods {
	m[methodRecall] = worker.NewMethod(s.get)
	m[methodKeep] = worker.NewMethod(s.put)
	return m
}

// get returns a result, if it is there and can be read: else it is made again.
func (s keptResults) get(r keptResult) (keptResult, error) {
	if s.dir == "" {
		return r, nil
	}
	text, err := os.ReadFile(s.path(r))
	if err == nil {
		err = json.Unmarshal(text, &r.Result) // else it is no JSON
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("a result of an earlier command cannot be read: it is made again", "why", err)
	}
	r.OK = err == nil
	return r, nil
}

// put keeps a result. Where that is not possible it is made again the next time.
func (s keptResults) put(r keptResult) (n worker.Nothing, err error) {
	if s.dir == "" {
		return n, nil
	}
	path := s.path(r)
	err = os.MkdirAll(filepath.Dir(path), 0o777)
	if err == nil {
		err = atomicfile.WriteFile(path, append(slices.Clone(r.Result), '\n'))
	}
	if err != nil {
		s.log.Warn("a result cannot be kept: the next command makes it again", "why", err)
	}
	return n, nil
}

func (s keptResults) path(r keptResult) string { return filepath.Join(s.dir, r.Kind, r.Key+".json") }
