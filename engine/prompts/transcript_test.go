package prompts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"amend/engine/chat"

	"pgregory.net/rapid"
)

// writeTranscript is the inverse of transcript.
func writeTranscript(msgs []chat.Message) string {
	var b strings.Builder
	for _, m := range msgs {
		mark := chat.HumanMark
		if m.Role == chat.Assistant {
			mark = chat.AssistantMark
		}
		b.WriteString(mark + " " + m.Text)
	}
	return b.String()
}

// turnText draws texts of turns, with pieces of markers among them.
func turnText() *rapid.Generator[string] {
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"\n", "\n\n", "\n\n\n", " ", "Human", "Human:", "Assistant:", "\nHuman:", "\n\nHuman", "\n\nhuman:", "\n\n Assistant:", "{", "\r\n",
	}))
	return rapid.Map(rapid.SliceOfN(piece, 1, 6), func(p []string) string {
		return strings.TrimSpace(strings.Join(p, ""))
	}).Filter(func(s string) bool {
		return s != "" && !strings.Contains(s, "\nAssistant:") && !strings.Contains(s, "\nHuman:") && !strings.Contains(s, chat.HumanMark) && !strings.Contains(s, chat.AssistantMark)
	})
}

// A transcript that was written from turns is read back as those turns, also
// with an empty turn at its end that asks for the answer.
func TestTranscriptRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []chat.Message
		for i, text := range rapid.SliceOfN(turnText(), 1, 7).Draw(t, "texts") {
			want = append(want, chat.Message{Role: []chat.Role{chat.User, chat.Assistant}[i%2], Text: text})
		}
		text := writeTranscript(want)
		if rapid.Bool().Draw(t, "cue") {
			text += chat.AssistantMark + rapid.SampledFrom([]string{"", " ", "\n"}).Draw(t, "after")
		}
		got, err := transcript(text)
		same := func(a, b chat.Message) bool { return a.Role == b.Role && a.Text == b.Text }
		if err != nil || !slices.EqualFunc(got, want, same) {
			t.Fatalf("%q: %v, %v, want %v", text, got, err, want)
		}
	})
}

// Only whole surrogate pairs are characters.
func TestLoneSurrogate(t *testing.T) {
	for text, want := range map[string]string{
		`"plain"`:                 ``,
		`"\ud83d\ude00"`:          ``,
		`"\\ud83d"`:               ``,
		`"\\\ud83d"`:              `\ud83d`,
		`"\n\u0041\ud83d"`:        `\ud83d`,
		`"\ude00"`:                `\ude00`,
		`"\ud83d\u0041"`:          `\ud83d`,
		`"\ud83d\ud83d\ude00"`:    `\ud83d`,
		`"\ud83d\ude00x\uDE00"`:   `\uDE00`,
		`"\ufffd is a character"`: ``,
	} {
		if got := loneSurrogate([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// TestLongTranscript: the time to read a transcript grows with its length, and not faster.
func TestLongTranscript(t *testing.T) {
	for name, text := range map[string]string{
		"one speaker":  "\n\nHuman: q" + strings.Repeat("\n\nAssistant: a", 200_000),
		"two speakers": strings.Repeat("\n\nHuman: q\n\nAssistant: a", 100_000),
		"blank lines":  "\n\nHuman: q" + strings.Repeat("\n", 2_000_000) + "Assistant: a",
	} {
		begun := time.Now()
		if _, err := transcript(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
