package feedback

import (
	"context"
	"slices"
	"testing"

	"amend/engine/chat"
	"amend/engine/enginetest"
)

// thinking is a layout whose prompts end with what it says, inside a thought or behind one.
type thinking struct {
	chat.Plain
	tail string
}

func (l thinking) Think() chat.ThinkTags { return chat.ThinkTags{Open: "<think>", Close: "</think>"} }

func (l thinking) Frame(ctx context.Context, roles []chat.Role) (chat.Frame, error) {
	f, err := l.Plain.Frame(ctx, roles)
	f.Pieces[len(f.Pieces)-1] += l.tail
	return f, err
}

// TestJudgeIsAskedBehindThoughts: a judge under a template that opens a thought is asked as under one that closes it, for
// judgements, reasonings and verdicts.
func TestJudgeIsAskedBehindThoughts(t *testing.T) {
	var asked [2][][]int32
	var verdicts [2]Key
	for i, tail := range []string{"<think>\n", "<think>\n\n</think>\n\n"} {
		for _, s := range []Settings{plain, goldenSettings()} {
			c := newFakeJudge(t, testDocument, s, 2)
			format, err := chat.NewFormatter(t.Context(), thinking{tail: tail}, enginetest.Letters{Model: c.model})
			if err != nil {
				t.Fatal(err)
			}
			j, err := New(t.Context(), format, c.doc, s)
			if err != nil {
				t.Fatal(err)
			}
			in, p := pairs(1)[0], c.doc.Principles[0]
			question, err := j.open(t.Context(), in, p, false)
			if err != nil {
				t.Fatal(err)
			}
			asked[i] = append(asked[i], question.Tokens)
			verdict, err := format.Open(t.Context(), []chat.Message{{Role: chat.User, Text: VerdictRequest(p.Text)}})
			if err != nil {
				t.Fatal(err)
			}
			var seen keySpy
			j.Use(&seen, "an environment")
			j.Start(t.Context(), nil, func() bool { return false }, func(err error) { t.Error(err) }).Verdict(verdict, InAWord, func(Verdict, error) {})
			verdicts[i] = seen.key
		}
	}
	if !slices.EqualFunc(asked[0], asked[1], slices.Equal[[]int32]) || verdicts[0] != verdicts[1] {
		t.Errorf("%v\n%v", asked[0], asked[1])
	}
}
