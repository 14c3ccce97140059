package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/worker"
	"amend/constitution"
	"amend/engine"
	"amend/engine/atomicfile"
	"amend/engine/feedback"
	"amend/engine/selftest"
	"amend/models"
)

// The methods of a host whose worker tests a judge.
const (
	methodTested   = "tested"    // what an earlier test of the judge found
	methodKeepTest = "keep-test" // a test has ended
)

// storedTest is a test under its key, as it travels.
type storedTest struct {
	Key    string
	Result selftest.Result
	OK     bool // it is there
}

// examination is a judge that is to be tested.
type examination struct {
	model    *runner.Model
	kind     runner.ContextPlan
	context  runner.ContextConfig
	judge    *feedback.Judge
	document *constitution.Document
	settings feedback.Settings
	untested bool // it is trusted also where it fails
	parent   *worker.Client
}

// test has the judge answer its constitution's known cases, unless it did so before. A judge that fails is an error, unless
// it is to be trusted untested. The result is nil where there are no cases.
func (x examination) test(ctx context.Context) (*selftest.Result, error) {
	cases := selftest.Of(x.document)
	if len(cases) == 0 {
		x.parent.Log().Warn("the constitution has no known cases (judgements with use: test): nothing says whether this judge can be trusted under it",
			"constitution", x.document.Name, "judge", x.model.Info().Name)
		return nil, nil
	}
	key, err := x.key(cases)
	if err != nil {
		return nil, err
	}
	kept, err := worker.Call[storedTest](x.parent, methodTested, key)
	if err != nil {
		return nil, err
	}
	if !kept.OK {
		if kept.Result, err = x.run(ctx, cases); err != nil {
			return nil, fmt.Errorf("testing the judge: %w", err)
		}
		if _, err := worker.Call[worker.Nothing](x.parent, methodKeepTest, storedTest{Key: key, Result: kept.Result, OK: true}); err != nil {
			return nil, err
		}
	}
	return &kept.Result, x.decide(kept.Result)
}

// decide says whether the judge may judge.
func (x examination) decide(r selftest.Result) error {
	log := x.parent.Log()
	switch {
	case r.Verdict == selftest.Passed:
		log.Info("the judge passed its test", "right", r.Right, "of", r.Agreed, "cases", r.Cases)
	case r.Verdict == selftest.TooFew:
		log.Warn("too few known cases to test the judge", "cases", r.Of, "right", r.Right, "of", r.Agreed)
	case x.untested:
		log.Warn("the judge failed its test, and is trusted all the same (untested): "+r.String(), "judge", x.model.Info().Name)
	default:
		return &failure.FieldError{Field: "untested", Want: fmt.Sprintf("must be given to trust this judge, or another judge: %s does not do better than guessing under %s: %s",
			x.model.Info().Name, x.document.Name, r)}
	}
	return nil
}

// key names everything that the result depends on.
func (x examination) key(cases selftest.Cases) (string, error) {
	asked := x.settings
	if asked.Principles = 0; asked.Reasonings == 0 { // a case has its own principle, and nothing is drawn
		asked = feedback.Settings{Layout: asked.Layout, MinMass: asked.MinMass}
	}
	text, err := json.Marshal(struct {
		Environment, Template, Document string
		Settings                        feedback.Settings
		Shown                           []engine.Token // the hash of a document says nothing of what is shown
		Cases                           selftest.Cases
	}{x.model.Environment(x.kind), x.model.TemplateSHA256(), x.document.Hash(), asked, x.judge.Prefix(), cases})
	if err != nil {
		return "", fmt.Errorf("naming a judge's test: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// run asks the cases in a context of their own.
func (x examination) run(ctx context.Context, cases selftest.Cases) (r selftest.Result, err error) {
	d, err := x.model.Requirements(x.context)
	if err != nil {
		return r, err
	}
	d.Rows, d.Preamble = 2*len(cases), len(x.judge.Prefix())
	if d.Need, err = cases.Need(ctx, x.judge); err != nil {
		return r, err
	}
	if d.AttachFrom, err = x.model.AttachFrom(x.kind); err != nil {
		return r, err
	}
	size, err := x.model.Plan(d, x.kind)
	if err != nil {
		return r, err
	}
	b, err := x.model.NewContext(size)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	e, err := x.model.EngineOver(b, x.context.PreambleCache, engine.Config{})
	if err != nil {
		return r, err
	}
	x.parent.Log().Info("testing the judge with known cases", "judge", x.model.Info().Name, "constitution", x.document.Name, "cases", len(cases))
	if err := e.Pin(ctx, x.judge.Prefix()); err != nil {
		return r, fmt.Errorf("computing the judge's preamble: %w", err)
	}
	return cases.Run(ctx, x.judge, e)
}

// selfTests are the results of earlier tests, in the user's cache. Without such a folder nothing is kept.
type selfTests struct {
	dir string
	log *slog.Logger
}

// newSelfTests finds them.
func newSelfTests(log *slog.Logger) selfTests {
	own := models.CachesFrom(os.Getenv).Own
	if own == "" {
		return selfTests{log: log}
	}
	return selfTests{filepath.Join(filepath.Dir(own), "selftests"), log}
}

// methods are those by which a worker asks for results.
func (s selfTests) methods(m worker.Methods) worker.Methods {
	m[methodTested] = worker.NewMethod(s.get)
	m[methodKeepTest] = worker.NewMethod(s.put)
	return m
}

// get returns a result, if it is there and can be read: else the judge is tested again.
func (s selfTests) get(key string) (storedTest, error) {
	t := storedTest{Key: key}
	if s.dir == "" {
		return t, nil
	}
	text, err := os.ReadFile(s.path(key))
	if err == nil {
		err = json.Unmarshal(text, &t.Result)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("the result of a judge's test cannot be read: the judge is tested again", "why", err)
	}
	t.OK = err == nil
	return t, nil
}

// put keeps a result. Where that is not possible the judge is tested again the next time.
func (s selfTests) put(t storedTest) (n worker.Nothing, err error) {
	if s.dir == "" {
		return n, nil
	}
	text, err := json.MarshalIndent(t.Result, "", "  ")
	if err == nil {
		err = os.MkdirAll(s.dir, 0o777)
	}
	if err == nil {
		err = atomicfile.WriteFile(s.path(t.Key), append(text, '\n'))
	}
	if err != nil {
		s.log.Warn("the result of the judge's test cannot be kept: the next command tests it again", "why", err)
	}
	return n, nil
}

func (s selfTests) path(key string) string { return filepath.Join(s.dir, key+".json") }
