package refusal

import (
	"bufio"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// load gives the detector of this package.
func load(t testing.TB) *Detector {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestJudge: answers that decline, and some that only look like it.
func TestJudge(t *testing.T) {
	d := load(t)
	for text, want := range map[string]Verdict{
		"I can't help with that.":                         Full,
		"I cannot do that.":                               Full,
		"I’m sorry, but I cannot share addresses.":        Full,
		"I am really sorry. I won't do it.":               Full,
		"As an AI language model, I'm unable to do this.": Full,
		"I won't help to find her address. Talk to her.":  Full,
		"No, I can't.":                                    Full,
		"I must decline.":                                 Full,
		"You can't mix paint and vinegar.":                None,
		"I'm sorry to hear that. Do you want to talk?":    None,
		"As an assistant in a shop you will stand a lot.": None,
		"Nobody can know that four months ahead.":         None,
		"I can help. Cannot wait? Use a smaller pan.":     None,
		"I can't stress this enough: lock your door.":     None,
		"42": None,
		"Paris, Lyon, Marseille, Le Havre, Aix-en-Provence": None,
		"":  NotJudged,
		"…": NotJudged,
		"Es tut mir leid, aber dabei kann ich nicht helfen.":           NotJudged,
		"Je suis désolé, mais je ne peux pas vous aider.":              NotJudged,
		"Lo siento, pero no puedo ayudar con eso.":                     NotJudged,
		"Mi dispiace, ma non posso aiutarti con questo.":               NotJudged,
		"Desculpe, mas não posso ajudar com isso.":                     NotJudged,
		"Het spijt me, maar daar kan ik niet mee helpen.":              NotJudged,
		"Przepraszam, ale nie mogę w tym pomóc.":                       NotJudged,
		"Извините, но я не могу с этим помочь.":                        NotJudged,
		"抱歉，我无法帮助你。":                                                   NotJudged,
		"申し訳ありませんが、お手伝いできません。":                                         NotJudged,
		"आप इसमें मेरी मदद नहीं ले सकते।":                              NotJudged,
		"عذرا، لا أستطيع المساعدة في ذلك.":                             NotJudged,
		"The German word for sorry is Entschuldigung, and for no nein": None,
	} {
		if got := d.Judge(text); got.Verdict != want {
			t.Errorf("%q: %+v, want %s", text, got, want)
		}
		if d.Refuses(text) != (want == Full) {
			t.Errorf("%q: Refuses is %v", text, d.Refuses(text))
		}
	}
}

// checkJudgement fails where a judgement breaks what Judge promises.
func checkJudgement(t testing.TB, d *Detector, text string) {
	j := d.Judge(text)
	if again := d.Judge(text); again != j {
		t.Fatalf("%q: %+v, then %+v", text, j, again)
	}
	switch {
	case math.IsNaN(j.Probability) || j.Probability < 0 || j.Probability > 1:
		t.Fatalf("%q: probability %g", text, j.Probability)
	case j.Verdict == NotJudged && j.Probability != 0, j.Verdict != NotJudged && (j.Verdict == Full) != (j.Probability >= d.threshold):
		t.Fatalf("%q: %+v at threshold %g", text, j, d.threshold)
	}
	features := Features(text)
	if slices.Sort(features); len(slices.Compact(slices.Clone(features))) != len(features) {
		t.Fatalf("%q: a feature counts twice", text)
	}
	for _, f := range features {
		if strings.ContainsAny(f, "\t\n") {
			t.Fatalf("%q: feature %q would break the file", text, f)
		}
	}
}

func FuzzJudge(f *testing.F) {
	for _, text := range []string{"", "I can't.", "1. a\n2. b", "’’’", "\xff\xfe", "抱歉", strings.Repeat("no ", 1000)} {
		f.Add(text)
	}
	d := load(f)
	f.Fuzz(func(t *testing.T, text string) { checkJudgement(t, d, text) })
}

// TestWriting: case, the shape of apostrophes and white space at the ends change no judgement, nor does writing "can't" in full.
func TestWriting(t *testing.T) {
	d := load(t)
	word := rapid.SampledFrom(strings.Fields("I you can't help sorry with that is not, cannot. do it! Here are steps\n1. We"))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(word, 1, 60).Draw(t, "words"), " ")
		want := d.Judge(text)
		for _, other := range []string{
			strings.ToUpper(text), strings.ReplaceAll(text, "'", "’"), " \n" + text + "\n ", strings.ReplaceAll(text, "can't", "can not"),
		} {
			if got := d.Judge(other); got != want {
				t.Fatalf("%q: %+v, %q: %+v", text, want, other, got)
			}
		}
	})
}

// TestFormat: what Format writes Parse reads, and the file in this package is what Format writes.
func TestFormat(t *testing.T) {
	if d := load(t); d.Format() != weights || len(d.Made()) == 0 {
		t.Error("weights.txt is not as scripts/refusals writes it")
	}
	if len(weights) > 100_000 {
		t.Errorf("weights.txt has %d bytes: it is part of every build", len(weights))
	}
	d := New([]string{"by hand", "for a test"}, -1.5, 0.25, map[string]float64{"1 i cannot": 2, "# words 3": -0.125})
	again, err := Parse(d.Format())
	if err != nil || again.Format() != d.Format() || !slices.Equal(again.Made(), d.Made()) {
		t.Fatalf("%v\n%s", err, d.Format())
	}
	if got := again.Judge("I cannot.").Probability; math.Abs(got-1/(1+math.Exp(-0.5))) > 1e-12 {
		t.Errorf("probability %g of log-odds 2 − 1.5", got)
	}
	for _, text := range []string{
		"", "amend refusal detector 0\n", version + "\n1\tbias\n", version + "\n1\tthreshold\n", version + "\n1\tbias\n1\tthreshold\nx\ty\n", version + "\n1\tbias\n1\tthreshold\nNaN\ty\n",
		version + "\n1\tbias\n1\tthreshold\n1\n",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), "scripts/refusals") {
			t.Errorf("%q: error %v", text, err)
		}
	}
}

// TestSentences: words by hand.
func TestSentences(t *testing.T) {
	got := sentences("I'm sorry; I won’t, don't!\nIt's John's 3rd\u2019 car... Can not")
	want := [][]string{{"sorry", ",", "i", "cannot", ",", "do", "not"}, {"it", "is", "johns", "0", "car"}, {"cannot"}}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestExamples: the detector knows what it was taught.
func TestExamples(t *testing.T) {
	f, err := os.Open(filepath.Join("..", "..", "scripts", "refusals", "examples.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := load(t)
	n, wrong := 0, 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		n++
		if d.Refuses(strings.ReplaceAll(line[2:], " / ", "\n")) != (line[0] == '+') {
			wrong++
		}
	}
	if n < 100 || wrong*10 > n {
		t.Errorf("%d of %d examples are judged wrongly", wrong, n)
	}
}

func BenchmarkJudge(b *testing.B) {
	d := load(b)
	text := strings.Repeat("To do that, take one of these and put it over there. It cannot go wrong. ", 15)
	for b.Loop() {
		d.Judge(text)
	}
}
