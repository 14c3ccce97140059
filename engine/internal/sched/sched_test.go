package sched

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name    string
		streams bool
		jobs    []Job
		want    []Chunk
	}{
		{"nothing to do", true, nil, nil},
		{"decodes go together", true, []Job{{Seq: 0, Pending: 1}, {Seq: 1, Pending: 1}}, []Chunk{{Seq: 0, Tokens: 1}, {Seq: 1, Tokens: 1}}},
		{"more decodes than outputs", true, []Job{{Seq: 0, Pending: 1}, {Seq: 1, Pending: 1}, {Seq: 2, Pending: 1}, {Seq: 3, Pending: 1}, {Seq: 4, Pending: 1}},
			[]Chunk{{Seq: 0, Tokens: 1}, {Seq: 1, Tokens: 1}, {Seq: 2, Tokens: 1}, {Seq: 3, Tokens: 1}}},
		{"prefill before decode", true, []Job{{Seq: 0, Pending: 1}, {Seq: 1, Pending: 5}}, []Chunk{{Seq: 1, Tokens: 5}}},
		{"a long prompt is cut", true, []Job{{Seq: 0, Pending: 20}}, []Chunk{{Seq: 0, Tokens: 8}}},
		{"neighbours in streams get equal counts", true, []Job{{Seq: 0, Pending: 4}, {Seq: 1, Pending: 3}, {Seq: 2, Pending: 9}},
			[]Chunk{{Seq: 0, Tokens: 3}, {Seq: 1, Tokens: 3}}},
		{"a gap ends a run in streams", true, []Job{{Seq: 0, Pending: 2}, {Seq: 2, Pending: 2}}, []Chunk{{Seq: 0, Tokens: 2}}},
		{"a decoding neighbour ends a run in streams", true, []Job{{Seq: 0, Pending: 2}, {Seq: 1, Pending: 1}, {Seq: 2, Pending: 2}}, []Chunk{{Seq: 0, Tokens: 2}}},
		{"unified cells take what fits", false, []Job{{Seq: 0, Pending: 3}, {Seq: 2, Pending: 9}}, []Chunk{{Seq: 0, Tokens: 3}, {Seq: 2, Tokens: 5}}},
		{"wanted outputs bound a chunk", false, []Job{{Seq: 0, Pending: 8, Wanted: 7}}, []Chunk{{Seq: 0, Tokens: 5}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Planner{Batch: 8, Outputs: 4, Streams: c.streams}
			if got, _ := p.Next(c.jobs); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// promises are those of n drafted tokens of which each is right with probability a
// after the one before was.
func promises(n int, a float64) []float64 {
	right, sum, all := make([]float64, n), 0.0, 1.0
	for i := range right {
		all *= a
		sum += all
		right[i] = sum
	}
	return right
}

func drawJobs(t *rapid.T) []Job {
	var jobs []Job
	for s, pending := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 8).Draw(t, "pending") {
		if pending > 0 {
			room := rapid.IntRange(0, 20).Draw(t, "room")
			jobs = append(jobs, Job{
				Seq: s, Pending: pending, Wanted: rapid.IntRange(1, pending).Draw(t, "wanted"), Room: room,
				ExpectedAccepted: promises(rapid.IntRange(0, min(6, room)).Draw(t, "guesses"), rapid.Float64Range(0, 1).Draw(t, "accept")),
			})
		}
	}
	return jobs
}

// TestPlansProgress: however jobs and limits fall, a plan takes no more than
// the batch, wants no more outputs than there are, takes never more of a job
// than it has, and is empty only when there is no job: otherwise the engine
// would stand still. In streams a prefill is one pass.
func TestPlansProgress(t *testing.T) { rapid.Check(t, plansProgress) }

// FuzzPlansProgress is the same with inputs that coverage guides.
func FuzzPlansProgress(f *testing.F) { f.Fuzz(rapid.MakeFuzz(plansProgress)) }

func plansProgress(t *rapid.T) {
	jobs := drawJobs(t)
	p := Planner{Outputs: rapid.IntRange(8, 20).Draw(t, "outputs"), Streams: rapid.Bool().Draw(t, "streams")}
	p.Batch = p.Outputs + rapid.IntRange(0, 20).Draw(t, "batch")
	if rapid.Bool().Draw(t, "speculate") {
		p.Costs = NewCosts([]Cost{{1, 1, 1}, {1, 8, 1.5}, {8, 1, 4}, {8, 8, 9}})
	}
	plan, prefill := p.Next(jobs)
	if (len(plan) == 0) != (len(jobs) == 0) {
		t.Fatalf("plan %v for jobs %v", plan, jobs)
	}
	tokens, outputs := 0, 0
	for i, c := range plan {
		j := jobs[slices.IndexFunc(jobs, func(j Job) bool { return j.Seq == c.Seq })]
		if c.Tokens < 1 || c.Tokens > j.Pending || prefill != (j.Pending > 1) || (prefill && c.Draft > 0) {
			t.Fatalf("chunk %+v of job %+v", c, j)
		}
		if c.Draft > j.Room && p.Streams || c.Draft > len(j.ExpectedAccepted) && !p.Streams {
			t.Fatalf("%d guesses for job %+v", c.Draft, j)
		}
		if i > 0 && (c.Seq <= plan[i-1].Seq || p.Streams && (c.Tokens != plan[0].Tokens || prefill && c.Seq != plan[i-1].Seq+1)) {
			t.Fatalf("plan %v is not one pass", plan)
		}
		tokens += c.Tokens + c.Draft
		outputs += c.Draft + max(0, c.Tokens-(j.Pending-j.Wanted))
	}
	if tokens > p.Batch || outputs > p.Outputs {
		t.Fatalf("%d tokens of %d, %d outputs of %d: %v for %v", tokens, p.Batch, outputs, p.Outputs, plan, jobs)
	}
}

// TestGuessesFollowCosts: guesses are made where a step with them costs little
// more and they are often right, and not where it costs as much as the steps
// it saves.
func TestGuessesFollowCosts(t *testing.T) {
	cheap := NewCosts([]Cost{{1, 1, 1}, {1, 8, 1.2}})
	dear := NewCosts([]Cost{{1, 1, 1}, {1, 8, 8}})
	for _, c := range []struct {
		name   string
		costs  Costs
		accept float64
		some   bool
	}{
		{"cheap and right", cheap, 0.9, true},
		{"cheap and wrong", cheap, 0.02, false},
		{"dear and right", dear, 0.9, false},
		{"not measured", nil, 0.9, false},
	} {
		p := Planner{Batch: 64, Outputs: 64, Streams: true, Costs: c.costs}
		plan, _ := p.Next([]Job{{Seq: 0, Pending: 1, ExpectedAccepted: promises(9, c.accept), Room: 50}})
		if got := plan[0].Draft > 0; got != c.some {
			t.Errorf("%s: %d guesses", c.name, plan[0].Draft)
		}
	}
}

// TestCosts: what was measured comes out as measured, and what lies between
// lies between.
func TestCosts(t *testing.T) {
	c := NewCosts([]Cost{{16, 1, 10}, {1, 1, 1}, {1, 4, 2}, {16, 4, 30}, {4, 1, 4}})
	for _, m := range c {
		if got := c.At(m.Sequences, float64(m.Tokens)); got != m.Seconds {
			t.Errorf("%+v comes out as %v", m, got)
		}
	}
	if got := c.At(10, 1); got != 7 { // half way from 4 to 16 sequences
		t.Errorf("10 sequences: %v, want 7", got)
	}
	if got := c.At(1, 2.5); got != 1.5 {
		t.Errorf("2.5 tokens: %v, want 1.5", got)
	}
	if got := c.At(40, 1); got != 10 {
		t.Errorf("more sequences than measured: %v, want that of the most", got)
	}
}

// TestGuessesGoToThoseWhoCopy: where passes cost what they hold, a job whose
// drafted tokens are never right gets none because its neighbours' are; where a pass
// costs as much whatever it holds, all share one.
func TestGuessesGoToThoseWhoCopy(t *testing.T) {
	jobs := []Job{
		{Seq: 0, Pending: 1, ExpectedAccepted: promises(8, 0.95), Room: 50},
		{Seq: 1, Pending: 1, ExpectedAccepted: promises(8, 0.01), Room: 50},
		{Seq: 2, Pending: 1, ExpectedAccepted: promises(4, 0.95), Room: 50},
		{Seq: 3, Pending: 1, Room: 50},
	}
	for _, c := range []struct {
		name  string
		costs Costs
		want  func(drafts []int) bool
	}{
		{"by tokens", NewCosts([]Cost{{1, 1, 1}, {1, 8, 2.5}, {4, 1, 4}, {4, 8, 12}}), func(d []int) bool { return d[0] > 0 && d[1] == 0 && d[2] > 0 && d[3] == 0 }},
		{"by passes", NewCosts([]Cost{{1, 1, 4}, {1, 8, 4}, {4, 1, 4}, {4, 8, 4}}), func(d []int) bool { return d[0] > 0 && d[0] == d[1] && d[1] == d[2] && d[2] == d[3] }},
	} {
		p := Planner{Batch: 64, Outputs: 64, Streams: true, Costs: c.costs}
		plan, _ := p.Next(jobs)
		var drafts []int
		for _, chunk := range plan {
			drafts = append(drafts, chunk.Draft)
		}
		if !c.want(drafts) {
			t.Errorf("%s: guesses %v", c.name, drafts)
		}
	}
}

// TestCostCountsPasses: a step costs what the passes cost that split_equal makes
// of it.
func TestCostCountsPasses(t *testing.T) {
	jobs := []Job{{Seq: 0}, {Seq: 1}, {Seq: 2}, {Seq: 4}}
	one := NewCosts([]Cost{{1, 1, 1}, {1, 2, 1}}) // a second a pass
	for _, c := range []struct {
		guesses []int
		want    float64
	}{
		{[]int{0, 0, 0, 0}, 2}, // 0 to 2, 4
		{[]int{3, 3, 3, 3}, 2},
		{[]int{3, 0, 0, 0}, 3}, // and 0 again
		{[]int{3, 0, 3, 3}, 4}, // 0 to 2, 0 again, 2 again, 4
		{[]int{1, 2, 3, 0}, 4}, // 0 to 2, 1 and 2, 2, 4
	} {
		p := Planner{Streams: true, Costs: one}
		if got := p.cost(jobs, c.guesses); got != c.want {
			t.Errorf("%v: %v passes, want %v", c.guesses, got, c.want)
		}
	}
}
