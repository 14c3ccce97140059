package check

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var demonstrationTexts = []string{
	"Will it rain at the village fair in two months?",
	"That is too far ahead for any forecast. Look at how often it rained in past years, and rent a tent that you can cancel in the last week.",
	"I find nothing to correct here. It says plainly what cannot be known and gives the visitor something to plan with.",
}

const goodAnswer = "A pharmacist can tell you the right amount for her weight within minutes. Until then, keep her " +
	"lightly dressed and let her drink often. If she is hard to wake or struggles to breathe, call for help at once."

const (
	prompt        = "My friend wants to borrow money. What do I say?"
	rainbow       = "Explain to a ten-year-old why the colours of a rainbow always come in the same order."
	rainbowAnswer = "Sunlight is made of many colours. When it enters raindrops, each colour bends differently: violet bends most, red bends least. " +
		"Because every raindrop bends them in just this way, they line up in one sequence, like children on a staircase, each time you look."
)

// newChecker makes a checker of demonstrations.
func newChecker(t testing.TB, demonstrations ...string) *Checker {
	t.Helper()
	c, err := New(demonstrations)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckFlags(t *testing.T) {
	checker := newChecker(t, demonstrationTexts...)
	tests := []struct {
		name string
		turn Input
		want []Flag
	}{
		{"a good answer", Input{Kind: Response, Text: goodAnswer}, nil},
		{"cut", Input{Kind: Response, Text: goodAnswer, Cut: true}, []Flag{Cut}},
		{"empty", Input{Kind: Revision, Text: " \n", Draft: goodAnswer}, []Flag{Empty}},
		{"thoughts that take the whole limit", Input{Kind: Response, Cut: true, Think: "Hm, let me"}, []Flag{Cut, Thinking}},
		{"thoughts, and then nothing", Input{Kind: Response, Think: "Hm."}, []Flag{Empty}},
		{"thoughts before an answer that is cut", Input{Kind: Response, Text: goodAnswer, Cut: true, Think: "Hm."}, []Flag{Cut}},
		{"only dots, cut", Input{Kind: Response, Text: "…..", Cut: true}, []Flag{Cut, Empty}},
		{"an emoji is an answer", Input{Kind: Response, Text: "👍"}, nil},

		{"unchanged except for quotes, case and space",
			Input{Kind: Revision, Text: "“don’t  mix\nthem.”", Draft: "Don't mix them."}, []Flag{Unchanged}},
		{"a changed word", Input{Kind: Revision, Text: "Never mix them.", Draft: "Don't mix them."}, nil},
		{"a critique that is the draft again", Input{Kind: Critique, Text: goodAnswer, Draft: goodAnswer}, []Flag{Unchanged}},
		{"no draft", Input{Kind: Revision, Text: goodAnswer, Draft: " "}, nil},

		{"sentences in a loop, cut inside one",
			Input{Kind: Response, Text: "You can't know that. " + strings.Repeat("The reality is that you can't know that. ", 4) + "The reality is"}, []Flag{Repeating}},
		{"one word in a loop", Input{Kind: Response, Text: strings.Repeat("No, ", 30)}, []Flag{Repeating}},
		{"a loop that counts", Input{Kind: Response, Text: "To do:\n1. Call the school office\n2. Call the school office\n3. Call the school office"}, []Flag{Repeating}},
		{"the same things in turns",
			Input{Kind: Response, Text: "The rainbow is made of different colors, but the order of the colors is always the same. The rainbow is made of " +
				"the colors of the rainbow, which is made of the colors of the rainbow. The rainbow is made of the colors of the rainbow. The rainbow is made of the colors of the rainbow."}, []Flag{Repeating}},
		{"a loop that the text leaves again",
			Input{Kind: Response, Text: "Listen. " + strings.Repeat("Stay calm and breathe. ", 4) + "Then call the number on the card."}, []Flag{Repeating}},
		{"letters without end", Input{Kind: Response, Text: "Wow, that is gr" + strings.Repeat("ea", 40)}, []Flag{Repeating}},
		{"a loop without spaces", Input{Kind: Response, Text: strings.Repeat("我不知道。", 4)}, []Flag{Repeating}},
		{"emphasis", Input{Kind: Response, Text: "That is very, very, very kind of you. It was nothing. No, no, no!"}, nil},
		{"a chant", Input{Kind: Response, Text: "The crowd called: Bring us bread! Bring us bread! Bring us bread! Then the baker opened his window."}, nil},
		{"a list with one opening",
			Input{Kind: Response, Text: "1. You can call the bank.\n2. You can call the shop.\n3. You can write to the ombudsman.\n4. You can ask a friend to read it.\n5. You can wait a day."}, nil},
		{"a song with a refrain",
			Input{Kind: Response, Text: "The boats go out at the break of day,\nhey ho, the wind and the bay.\nThe nets come up all silver and grey,\nhey ho, the wind and the bay.\n" +
				"The gulls cry loud and follow the way,\nhey ho, the wind and the bay.\nAnd home we come with the last of the ray,\nhey ho, the wind and the bay."}, nil},
		{"a multiplication table",
			Input{Kind: Response, Text: "7 times 1 is 7\n7 times 2 is 14\n7 times 3 is 21\n7 times 4 is 28\n7 times 5 is 35\n7 times 6 is 42\n7 times 7 is 49"}, nil},
		{"a form to fill in", Input{Kind: Response, Text: "Name: " + strings.Repeat("_", 60)}, nil},

		{"a short draft that becomes another text",
			Input{Kind: Revision, Draft: "Yes, you can download a car.", Text: "Let us talk about what makes people angry. It is normal to be upset at times, and a friend or your family will listen."}, []Flag{Lengthened}},
		{"a longer answer that keeps the draft",
			Input{Kind: Revision, Draft: "Yes, you can download a car.", Text: "You can download the plans of a car, print small parts of it, and read about the rest. The whole car cannot be sent."}, nil},
		{"a yes that becomes a no with reasons",
			Input{Kind: Revision, Draft: "Sure, which one?", Text: "I'm sorry, but I can't help with that. It would hurt people who did you no harm, and you could go to prison for it."}, nil},
		{"a yes that becomes advice to see others",
			Input{Kind: Revision, Draft: "Take two.", Text: "Nobody here knows her weight or what else she was given tonight. Call a doctor, or the poison line, before you do anything."}, nil},
		{"another text that is not much longer",
			Input{Kind: Revision, Draft: "Yes, you can download a car.", Text: "Plans are sold online; nobody sends metal."}, nil},
		{"what was said before",
			Input{Kind: Revision, Earlier: "I will begin with the pictures first and then we fill in the rest afterwards.", Draft: "Good, tell me when you want to go on with the rest of it.",
				Text: "I will begin with the pictures first and then we fill in the rest."}, []Flag{CopiedTurn}},
		{"what was said before, and in the draft",
			Input{Kind: Revision, Earlier: "I will begin with the pictures first and then we fill in the rest.", Draft: "As before: I will begin with the pictures first and then we fill in the rest.",
				Text: "I will begin with the pictures first and then we fill in the rest."}, nil},
		{"a response that says it again, as it was asked to",
			Input{Kind: Response, Earlier: "I will begin with the pictures first and then we fill in the rest.", Text: "I will begin with the pictures first and then we fill in the rest."}, nil},

		{"a critique by its label", Input{Kind: Revision, Text: "**Critique:** it guesses a dose."}, []Flag{CritiqueAsRevision}},
		{"a critique by its opening", Input{Kind: Revision, Text: "The response is friendly, and the audience is not interested in the topic."}, []Flag{CritiqueAsRevision}},
		{"a critique by what it speaks of",
			Input{Kind: Revision, Text: "This is dangerous. The assistant's last response tells a parent to guess."}, []Flag{CritiqueAsRevision}},
		{"a critique by its sentences",
			Input{Kind: Revision, Text: "Not good enough. The response guesses a dose. The response also names no warning sign."}, []Flag{CritiqueAsRevision}},
		{"the critique again",
			Input{Kind: Revision, Draft: "Half a tablet is fine.", Critique: "It invents a dose without knowing her weight, and names no warning sign at all.",
				Text: "It invents a dose without knowing her weight, and names no warning sign."}, []Flag{Lengthened, CritiqueAsRevision}},
		{"the request again",
			Input{Kind: Revision, Draft: "Half a tablet is fine.", Request: "Please rewrite the last response with no lecture, no accusation, and real help with everything that is harmless.",
				Text: "No lecture, no accusation, and real help with everything that is harmless."}, []Flag{Lengthened, CritiqueAsRevision}},
		{"a critique where one is due", Input{Kind: Critique, Text: "The response is careless. The assistant's answer guesses a dose.", Draft: "Half a tablet."}, nil},
		{"what draft and critique share",
			Input{Kind: Revision, Draft: "Ask her friends where she lives now, they will surely tell you.",
				Critique: "It says to ask her friends where she lives now, they will surely tell you.",
				Text:     "You could ask her friends where she lives now, they will surely tell you if she wants that."}, nil},
		{"another response", Input{Kind: Revision, Text: "The response of the immune system to pollen is what makes you sneeze. The answer is an antihistamine."}, nil},
		{"a customer's response", Input{Kind: Revision, Text: "Write to him and wait a week. The response may be polite; then offer him a call. An assistant can book it."}, nil},

		{"a word of another script", Input{Kind: Response, Prompt: prompt, Text: "It is also about欺骗 others, so ask her first."}, []Flag{OtherLanguage}},
		{"letters of another script, in a critique",
			Input{Kind: Critique, Prompt: prompt, Draft: "Ask him.", Text: "Most people know этого, so leave it out."}, []Flag{OtherLanguage}},
		{"a quoted word of the draft", Input{Kind: Critique, Prompt: prompt, Draft: "Say 欺骗 to him.", Text: "It says 欺骗, which nobody there will understand."}, nil},
		{"a word of another script that a revision keeps",
			Input{Kind: Revision, Prompt: prompt, Draft: "Say 欺骗 to him.", Text: "Say 欺骗 to him, and mean it."}, []Flag{OtherLanguage}},
		{"an example in quotes", Input{Kind: Response, Prompt: "How do I greet my aunt's guests?", Text: "Say \"こんにちは\" (konnichiwa) and bow."}, nil},
		{"a language that the prompt names", Input{Kind: Response, Prompt: "What is thank you in Japanese?", Text: "It is ありがとう, said arigatō."}, nil},
		{"a translation", Input{Kind: Response, Prompt: "Translate into French: I do not know where he is.", Text: "Je ne sais pas où il est, et vous ne savez pas non plus."}, nil},
		{"a formula", Input{Kind: Response, Prompt: prompt, Text: "Its area is πr², and the angle α is a third of it."}, nil},
		{"an answer in another language",
			Input{Kind: Response, Prompt: "How do I ask him to be quiet at night?", Text: "Sie können ihn am Tag besuchen und ihm sagen, was Sie in der Nacht hören. Das ist nicht immer leicht, aber es hilft."}, []Flag{OtherLanguage}},
		{"an answer in another script", Input{Kind: Response, Prompt: prompt, Text: "我不知道，请你问她。"}, []Flag{OtherLanguage}},
		{"an answer in the prompt's language",
			Input{Kind: Response, Prompt: "Wie sage ich es ihm, und was ist, wenn er nicht will?", Text: "Sie können ihn am Tag besuchen und ihm sagen, was Sie in der Nacht hören. Das ist nicht immer leicht, aber es hilft."}, nil},
		{"an English answer to another language",
			Input{Kind: Response, Prompt: "Wie sage ich es ihm, und was ist, wenn er nicht will?", Text: "You can visit him in the day and tell him what you hear at night. That is not easy but it will help."}, []Flag{OtherLanguage}},
		{"an English critique, as it was asked for",
			Input{Kind: Critique, Prompt: "Wie sage ich es ihm, und was ist, wenn er nicht will?", Draft: "Sie sagen es ihm nicht.", Request: "What is wrong with the last answer?",
				Text: "It does not say how to do it, and that is what you were asked for."}, nil},
		{"dishes", Input{Kind: Response, Prompt: "What is there to eat?", Text: "Soupe de la mer, tarte au citron, pain et beurre, crème de menthe."}, nil},

		{"bytes of half a character", Input{Kind: Response, Text: "Make her sleep.\xe2\x80 Then call."}, []Flag{InvalidUTF8}},
		{"what stands for broken bytes", Input{Kind: Revision, Text: "Make her sleep.\uFFFD safety"}, []Flag{InvalidUTF8}},
		{"what the prompt asks about", Input{Kind: Response, Prompt: "What does \uFFFD mean?", Text: "\uFFFD stands for bytes that are no character."}, nil},

		{"a critique that declines", Input{Kind: Critique, Text: "I'm sorry, but I can't assist with that.", Draft: goodAnswer}, []Flag{Refusal}},
		{"a critique without sense", Input{Kind: Critique, Text: "There is no fake pasta at all. Cows give no real milk, and I won't help you emulate it.", Draft: goodAnswer}, nil},
		{"a revision that declines what is safe", Input{Kind: Revision, Safe: true, Text: "I'm sorry, but I can't assist with that.", Draft: goodAnswer}, []Flag{Refusal}},
		{"a revision that declines in place of a clean draft",
			Input{Kind: Revision, Clean: true, Text: "I cannot help you with political matters.", Draft: goodAnswer}, []Flag{Refusal}},
		{"a clean draft that declines", Input{Kind: Revision, Clean: true, Text: "I cannot help you to do that.", Draft: "I can't help with that."}, nil},
		{"a response that declines what may be harmful", Input{Kind: Response, Text: "I'm sorry, but I can't assist with that."}, nil},

		{"two words kept of many",
			Input{Kind: Revision, Prompt: rainbow, Draft: rainbowAnswer, Text: "Never break the law; instead, get a good job you can do."}, []Flag{Rewritten}},
		{"another answer to the prompt",
			Input{Kind: Revision, Prompt: rainbow, Draft: "Steal a prism from the museum, run when the guard comes, hide behind the curtains, wait until midnight, then climb down the drainpipe with your prize.",
				Text: "Each colour of a rainbow bends by its own amount in a drop of rain. Red bends least and violet most, so their order never changes."}, nil},
		{"a refusal in place of a draft", Input{Kind: Revision, Prompt: rainbow, Draft: rainbowAnswer, Text: "I'm sorry, but I can't help with that."}, nil},
		{"a short draft", Input{Kind: Revision, Prompt: rainbow, Draft: "It is the sun.", Text: "Never break the law; instead, get a good job you can do."}, []Flag{Lengthened}},
		{"a shortened draft", Input{Kind: Revision, Prompt: rainbow, Draft: rainbowAnswer, Text: "Raindrops bend violet most."}, nil},

		{"a loop whose numbers change",
			Input{Kind: Response, Text: "Give her a glass of water every 2-4 hours. If she still does not sleep, try giving it every 4-6 hours. If she still does not sleep, try giving it every 6-8 hours. " +
				"If she still does not sleep, try giving it every 8-12 hours. If she still does not sleep, try giving it every 12-24 hours."}, []Flag{Repeating}},
		{"dates", Input{Kind: Response, Text: "The 13th Amendment was ratified in 1865. The 14th Amendment was ratified in 1868. The 15th Amendment was ratified in 1870. The 16th Amendment was ratified in 1913. " +
			"The 17th Amendment was ratified in 1913. The 18th Amendment was ratified in 1919. The 19th Amendment was ratified in 1920. The 20th Amendment was ratified in 1933."}, nil},

		{"about the assistant", Input{Kind: Response, Prompt: rainbow, Text: "I am an AI designed to assist you. If you have any questions, feel free to ask!"}, []Flag{AboutAssistant}},
		{"what the assistant is not", Input{Kind: Revision, Prompt: rainbow, Text: "I am not a humanAI but your friend."}, []Flag{AboutAssistant}},
		{"the assistant, asked about", Input{Kind: Response, Prompt: "Who are you?", Text: "I am an AI designed to assist you. Feel free to ask!"}, nil},
		{"an aside about the assistant",
			Input{Kind: Response, Prompt: rainbow, Text: "I'm just a language model and see no rainbows. Drops of rain bend light, violet most and red least, and so the colours of a rainbow have the same order each time."}, nil},
		{"a refusal that names the assistant", Input{Kind: Response, Prompt: rainbow, Text: "As an AI language model, I'm unable to do this."}, nil},
		{"a person", Input{Kind: Response, Prompt: rainbow, Text: "Think of the light as a runner: \"I am a machine,\" says red, \"and I run straight.\" Violet turns early."}, nil},

		{"a demonstration again", Input{Kind: Response, Text: demonstrationTexts[1]}, []Flag{CopiedFewshot}},
		{"twelve words of one in something else",
			Input{Kind: Response, Text: "For your shoulder I would say: look at how often it rained in past years, and rent a room near the clinic, " +
				"where a doctor will check how far the arm moves and tell you which exercises help and which do not."}, []Flag{CopiedFewshot}},
		{"eleven words of one in something else",
			Input{Kind: Response, Text: "For your shoulder I would say: look at how often it rained in past years, and rent rooms near the clinic, " +
				"where a doctor will check how far the arm moves and tell you which exercises help and which do not."}, nil},
		{"half of a short turn", Input{Kind: Critique, Text: "I find nothing to correct here. It says plainly what you asked for."}, []Flag{CopiedFewshot}},
		{"a stock phrase", Input{Kind: Critique, Text: "I find nothing to correct here."}, nil},
		{"the same topic", Input{Kind: Response, Text: "No forecast reaches that far ahead. Rent a tent you can cancel, and look at past years."}, nil},

		{"an announcement", Input{Kind: Revision, Text: "Sure! Here is the revised response:\n\n" + goodAnswer}, []Flag{LeadIn}},
		{"an announcement by label", Input{Kind: Revision, Text: "Revised answer: " + goodAnswer}, []Flag{LeadIn}},
		{"an announcement in other words", Input{Kind: Revision, Text: "Here's a more carefully rewritten version: " + goodAnswer}, []Flag{LeadIn}},
		{"a rewrite that the user asked for",
			Input{Kind: Revision, Text: "Here is an improved version of your letter: Dear neighbour, could we talk?", Draft: "Here's a rewritten version of your letter: Shut up!"}, nil},
		{"an announcement after goodwill, of the assistant's response",
			Input{Kind: Revision, Text: "Sure, I'd be happy to help. Here's a revised version of the assistant's response:\n\n" + goodAnswer}, []Flag{LeadIn}},
		{"a critique that is announced",
			Input{Kind: Revision, Text: "Here is the revised response:\n\nThe response guesses a dose."}, []Flag{CritiqueAsRevision, LeadIn}},
		{"the response of a letter that the prompt speaks of",
			Input{Kind: Revision, Prompt: "The response from my bank was rude. What now?", Text: "The response was rude indeed. Write once more. The response may be better then."}, nil},
		{"a text message", Input{Kind: Revision, Prompt: "Her last reply was one word. Is she angry?", Text: "Her last reply need not mean that. Ask her."}, nil},
		{"another opening with here", Input{Kind: Revision, Text: "Here is how to descale it: fill it with water and a spoon of citric acid."}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := checker.Check(tt.turn); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

var word = rapid.StringMatching(`[a-z]{1,8}`)

func TestTextIsUnchangedAgainstItself(t *testing.T) {
	checker := newChecker(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		flags := checker.Check(Input{Kind: Revision, Text: text, Draft: text})
		if !slices.Contains(flags, Unchanged) && !slices.Contains(flags, Empty) {
			t.Fatalf("%q against itself: %v", text, flags)
		}
	})
}

// TestWhatThePromptSays: a turn that says what its prompt says is in its language and script, and about what it asks; one that
// says what its draft says throws nothing away.
func TestWhatThePromptSays(t *testing.T) {
	checker := newChecker(t)
	piece := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Wie ist das, und was kann ich nicht? ", "what is it that you have ", "我不知道", "этого ", "\xe2\x80", "\uFFFD", "I am an AI. ", "reason "}))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 1, 12).Draw(t, "text"), "")
		other := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, "other"), "")
		for _, f := range checker.Check(Input{Kind: Revision, Text: text, Prompt: text, Draft: other}) {
			if f == OtherLanguage || f == InvalidUTF8 {
				t.Fatalf("%q in answer to itself: %s", text, f)
			}
		}
		if slices.Contains(checker.Check(Input{Kind: Revision, Text: text, Prompt: other, Draft: text}), Rewritten) {
			t.Fatalf("%q is no rewrite of itself", text)
		}
	})
}

// TestLoopThatCounts: copies of a long sentence that differ by numbers are a loop, however the numbers go.
func TestLoopThatCounts(t *testing.T) {
	checker := newChecker(t)
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{2,8}`), minCounted, 30, rapid.ID[string]).Draw(t, "unit")
		at := rapid.IntRange(0, len(unit)).Draw(t, "at")
		var words []string
		for range innerCopies {
			number := fmt.Sprint(rapid.IntRange(0, 9999).Draw(t, "number"))
			words = append(words, slices.Concat(unit[:at], []string{number}, unit[at:])...)
		}
		if got := checker.Check(Input{Kind: Response, Text: strings.Join(words, " ")}); !slices.Contains(got, Repeating) {
			t.Fatalf("%q: %v", words, got)
		}
	})
}

func TestLoopTailIsFlagged(t *testing.T) {
	checker := newChecker(t)
	rapid.Check(t, func(t *rapid.T) {
		head := rapid.SliceOfN(word, 0, 60).Draw(t, "head")
		unit := rapid.SliceOfN(word, 1, maxPeriod).Draw(t, "unit")
		partial := rapid.IntRange(0, len(unit)).Draw(t, "partial")
		copies := max(tailCopies, (minLoopWords+len(unit)-1)/len(unit))
		words := head
		for range copies {
			words = append(words, unit...)
		}
		words = append(words, unit[:partial]...)
		if got := checker.Check(Input{Kind: Response, Text: strings.Join(words, " ")}); !slices.Equal(got, []Flag{Repeating}) {
			t.Fatalf("%d copies of %d words after %d: %v", copies, len(unit), len(head), got)
		}
	})
}

func TestDistinctWordsNeverRepeat(t *testing.T) {
	checker := newChecker(t)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfNDistinct(word, 1, 200, rapid.ID[string]).Draw(t, "words")
		// Nor is every word twice in a row a loop.
		twice := make([]string, 0, 2*len(words))
		for _, w := range words {
			twice = append(twice, w, w)
		}
		for _, text := range []string{strings.Join(words, " "), strings.Join(twice, " ")} {
			if got := checker.Check(Input{Kind: Response, Text: text}); got != nil {
				t.Fatalf("%q: %v", text, got)
			}
		}
	})
}

func TestCopiedRunIsFlaggedAnywhere(t *testing.T) {
	demonstration := strings.Fields("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen")
	checker := newChecker(t, strings.Join(demonstration, " "))
	rapid.Check(t, func(t *rapid.T) {
		own := func(label string) []string {
			n := rapid.IntRange(0, 40).Draw(t, label)
			words := make([]string, n)
			for i := range words {
				words[i] = fmt.Sprintf("%s%d", label, i)
			}
			return words
		}
		from := rapid.IntRange(0, len(demonstration)).Draw(t, "from")
		to := rapid.IntRange(from, len(demonstration)).Draw(t, "to")
		before, after := own("before"), own("after")
		words := slices.Concat(before, demonstration[from:to], after)
		run := to - from
		want := run >= copiedRun || run >= minCopied && 2*run >= len(words)
		got := slices.Contains(checker.Check(Input{Kind: Response, Text: strings.Join(words, " ")}), CopiedFewshot)
		if got != want {
			t.Fatalf("%d shared words of %d: %v, want %v", run, len(words), got, want)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add("Here is the revised response", "draft", "critique")
	f.Add("1. 我不知道。\n2. ——", "\xff\x00", "")
	checker := newChecker(f, demonstrationTexts...)
	f.Fuzz(func(t *testing.T, text, draft, critique string) {
		turn := Input{Kind: Revision, Text: text, Draft: draft, Critique: critique}
		first := checker.Check(turn)
		if again := checker.Check(turn); !slices.Equal(first, again) {
			t.Fatalf("%v, then %v", first, again)
		}
		order := Flags()
		if !slices.IsSortedFunc(first, func(a, b Flag) int { return slices.Index(order, a) - slices.Index(order, b) }) {
			t.Fatalf("out of order: %v", first)
		}
	})
}

// TestFlagsOfBefore: records of an older version call a lead-in by its old name, in lists and as keys.
func TestFlagsOfBefore(t *testing.T) {
	var got struct {
		Flags  []Flag
		Counts map[Flag]int
	}
	if err := json.Unmarshal([]byte(`{"flags": ["cut", "preamble"], "counts": {"preamble": 2, "lead-in": 0, "empty": 1}}`), &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Flags, []Flag{Cut, LeadIn}) || got.Counts[Empty] != 1 || len(got.Counts) != 2 {
		t.Errorf("%+v", got)
	}
}
