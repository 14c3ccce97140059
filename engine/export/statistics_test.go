package export

import (
	"testing"

	"amend/engine/chat"
	"amend/engine/revise"
)

// TestStatistics: words are counted without the system message, answers by language, first responses by why they are there.
func TestStatistics(t *testing.T) {
	asked := func(rec revise.Record, prompt string) revise.Record {
		rec.Messages = []chat.Message{{Role: chat.System, Text: "Be brief, and kind to all."}, {Role: chat.User, Text: prompt}}
		return rec
	}
	rows := []revise.Record{
		asked(trace("a", "bad", "You can ask the others for help."), "What is it that I can do for you?"),
		asked(trace("b", "bad", "Das ist nicht so, und ich kann es nicht."), "What is it that I can do for you?"),
		asked(foundCleanIn(trace("c", "42")), "Six times seven?"),
		asked(trace("d", "41"), "Forty and one?"),
		asked(trace("e", "Yes", "cut:No"), "Is it?"),
	}
	_, r := write(t, Options{Format: SFT, Hygiene: true, KeepFirst: true}, rows...)
	if r.Prompt != (Spread{2, 3, 9}) || r.Answer != (Spread{1, 1, 7}) || r.Rejected != nil {
		t.Errorf("prompts %+v, answers %+v", r.Prompt, r.Answer)
	}
	if r.Languages["en"] != 1 || r.Languages["de"] != 1 || r.Languages[""] != 3 || r.OtherLanguage != 1 {
		t.Errorf("%v, in another language %d", r.Languages, r.OtherLanguage)
	}
	if r.First != (FirstResponses{Clean: 1, NotTried: 1, Kept: 1}) || r.Changed != 2 || r.Principles["p1"] != 2 {
		t.Errorf("%+v, %d changed, %v", r.First, r.Changed, r.Principles)
	}
	if _, r := write(t, Options{Format: DPO, Hygiene: true}, rows...); r.Rejected == nil || *r.Rejected != (Spread{1, 1, 1}) {
		t.Errorf("%+v", r.Rejected)
	}
}
