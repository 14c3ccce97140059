package sched

import "testing"

// BenchmarkNext plans a decode step of 16 turns, choosing the number of drafted tokens.
func BenchmarkNext(b *testing.B) {
	p := Planner{Batch: 512, Outputs: 128, Streams: true, Costs: NewCosts([]Cost{{1, 1, 1}, {1, 8, 1.5}, {4, 1, 2}, {4, 8, 4}, {16, 1, 4}, {16, 8, 9}})}
	var jobs []Job
	for i := range 16 {
		jobs = append(jobs, Job{Seq: i, Pending: 1, Room: 50, ExpectedAccepted: promises(i, 0.5+0.03*float64(i))})
	}
	b.ReportAllocs()
	for b.Loop() {
		p.Next(jobs)
	}
}
