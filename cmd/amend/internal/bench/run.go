package bench

import (
	"context"
	"errors"

	"amend/cmd/amend/internal/failure"
	"amend/cmd/amend/internal/runner"
	"amend/cmd/amend/internal/workload"
	"amend/engine"
)

// Run measures a workload of fixed lengths, on amend or on a peer.
func Run(ctx context.Context, env Env, c WorkloadConfig) (r Report, err error) {
	if err := c.Validate(); err != nil {
		return r, err
	}
	s, err := open(ctx, env, c.Config)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, s.model.Close()) }()
	w, err := workload.New(c.Workload, c.Order, c.Lengths, s.model.VocabularySize(), c.Seed)
	if err != nil {
		return r, failure.Input(err)
	}
	s.report.Workload, s.report.Order, s.report.Lengths, s.report.Expected = c.Workload, w.Order, w.Lengths, w.Count()
	if p := c.Peer; p.URL != "" {
		s.report.Variants, err = s.inTurns([]string{p.Name}, func(name string) (Variant, error) {
			return drivePeer(ctx, p.URL, name, w, p.Slots, c.PeerCache)
		})
	} else {
		err = s.measureFixed(ctx, c, w)
	}
	return s.report, err
}

// measureFixed runs amend's variants in turns, with the floor before and after each run of amend.
func (s *session) measureFixed(ctx context.Context, c WorkloadConfig, w *workload.Workload) error {
	b, err := s.newFixed(w)
	if err != nil {
		return err
	}
	s.report.Setting = settingName(b.setting)
	var beside *floors
	if c.Floor {
		if beside, err = b.newFloors(ctx, b.setting, b.setting.WithFlashAttention(!b.setting.FlashAttention())); err != nil {
			return err
		}
	}
	s.report.Variants, err = s.inTurns(c.Variants, func(name string) (Variant, error) {
		v, stats, err := b.run(ctx, name)
		if err != nil || name != Amend {
			return v, err
		}
		s.report.GoShare = goShare(stats, v.WallS)
		if beside != nil {
			err = beside.again(ctx, v.WallS)
		}
		return v, err
	})
	if err != nil {
		return err
	}
	if beside != nil {
		beside.report(&s.report)
	}
	s.report.compare()
	return nil
}

// goShare is the part of a time in seconds that went outside llama_decode.
func goShare(s engine.Stats, seconds float64) float64 {
	return 1 - (s.PrefillTime+s.DecodeTime).Seconds()/seconds
}

// newFixed prepares the measuring of a workload's variants.
func (s *session) newFixed(w *workload.Workload) (*fixed, error) {
	setting, err := s.setting(len(w.Preamble))
	if err != nil {
		return nil, err
	}
	longest := w.Longest()
	var size runner.ContextPlan
	if size, err = s.fit(setting, len(w.Rows), longest, max(longest, s.model.Trained())); err != nil {
		return nil, err
	}
	return &fixed{
		open: s.openContext, vocab: s.model.Vocab(), workload: w, alive: size.Parallel(), setting: setting, say: s.say,
	}, nil
}
