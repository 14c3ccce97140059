package sched

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		jobs   []Job
		budget int
		want   []Chunk
	}{
		{"nothing to do", nil, 8, nil},
		{"decodes go together", []Job{{Seq: 1}, {Seq: 0}}, 8, []Chunk{{0, 1}, {1, 1}}},
		{"prefill before decode", []Job{{Seq: 0}, {Seq: 1, Prefill: 5}}, 8, []Chunk{{1, 5}}},
		{"a long prompt is chunked", []Job{{Seq: 0, Prefill: 20}}, 8, []Chunk{{0, 8}}},
		{"the rest of the budget goes to the next", []Job{{Seq: 2, Prefill: 9}, {Seq: 0, Prefill: 3}}, 8, []Chunk{{0, 3}, {2, 5}}},
		{"more decodes than budget", []Job{{Seq: 0}, {Seq: 1}, {Seq: 2}}, 2, []Chunk{{0, 1}, {1, 1}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Next(c.jobs, c.budget); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestPlansProgress: however jobs and budget fall, a plan takes no more than
// the budget, never more of a job than it has, and is empty only when there
// is no job: otherwise the engine would stand still.
func TestPlansProgress(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var jobs []Job
		for s, p := range rapid.SliceOfN(rapid.IntRange(0, 9), 0, 8).Draw(t, "prefill") {
			jobs = append(jobs, Job{Seq: s, Prefill: p})
		}
		budget := rapid.IntRange(1, 12).Draw(t, "budget")
		total := 0
		plan := Next(jobs, budget)
		for _, c := range plan {
			total += c.Tokens
			if j := jobs[c.Seq]; c.Tokens < 1 || c.Tokens > max(1, j.Prefill) {
				t.Fatalf("%d tokens of job %+v", c.Tokens, j)
			}
		}
		if total > budget || (len(plan) == 0) != (len(jobs) == 0) {
			t.Fatalf("plan %v for jobs %v, budget %d", plan, jobs, budget)
		}
	})
}
