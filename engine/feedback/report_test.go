package feedback

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"amend/engine/chat"
	"amend/engine/split"
)

// judged makes a label from the probabilities of the first response in either order, a principle each.
func judged(id string, ps ...[2]float64) Label {
	l := Label{ID: id}
	for k, p := range ps {
		for i := range p {
			l.Judgements = append(l.Judgements, Judgement{Principle: fmt.Sprint("p", k), Swapped: i == 1, P: p[i], Mass: 1})
		}
	}
	l.settle()
	return l
}

func asked(id, first, second string, better Preference) Pair {
	return Pair{ID: id, Messages: []chat.Message{{Role: chat.User, Text: "about " + id}}, First: first, Second: second, Better: better}
}

// better is the truth of pairs that know it.
func better(in Pair, _ string) Preference { return in.Better }

// TestReportByHand: four pairs whose figures can be counted on fingers.
func TestReportByHand(t *testing.T) {
	invalid := judged("d", [2]float64{0.9, 0.9})
	invalid.Judgements[1].Invalid = true
	invalid.settle()
	r := NewReport(
		[]Pair{
			asked("a", "long one", "short", First), asked("b", "short", "long one", First),
			asked("c", "same", "size", Tie), asked("d", "x", "y", First), asked("e", "x", "y", First),
		},
		[]Label{
			judged("a", [2]float64{0.9, 0.7}, [2]float64{0.6, 0.8}), // 0.75: right, and the longer one
			judged("b", [2]float64{0.995, 0.2}),                     // 0.5975: flips with the order, right, and the shorter one
			judged("c", [2]float64{0.1, 0.2}, [2]float64{0.8, 0.9}), // principles disagree; nothing is better
			invalid,
			{ID: "e", Error: "too long"},
			judged("unknown", [2]float64{0.5, 0.5}),
		}, better)
	for _, tt := range []struct {
		what      string
		got, want float64
	}{
		{"pairs", float64(r.Pairs), 5}, {"labelled", float64(r.Labelled), 3}, {"failed", float64(r.Failed), 1},
		{"judgements", float64(r.Judgements), 12}, {"invalid", float64(r.Invalid), 1},
		{"flips", float64(r.Flips.Count), 1}, {"of", float64(r.Flips.Of), 5}, {"flip rate", r.FlipRate, 0.2},
		{"prefers (A)", float64(r.PrefersA.Count), 7}, {"of valid judgements", float64(r.PrefersA.Of), 11},
		{"agreement", float64(r.Agreement.Count), 1}, {"of pairs of principles", float64(r.Agreement.Of), 2},
		{"saturated", float64(r.Saturated.Count), 1},
		{"prefers longer", float64(r.PrefersLonger.Count), 1}, {"of pairs of unlike length", float64(r.PrefersLonger.Of), 2},
		{"decided", float64(r.Decided), 2}, {"accuracy", r.Accuracy, 1},
		{"one order", r.Orders.One.Share, 0.75}, {"gain", r.Orders.Gain.Value, 0.25}, {"gain of the less sure half", r.Orders.Small.Gain.Value, 0.5},
		{"brier", r.Brier, (0.25*0.25 + 0.4025*0.4025) / 2}, {"ece", r.ECE, (0.25 + 0.4025) / 2},
		{"where the better is longer", r.Longer.Share, 1}, {"of", float64(r.Longer.Of), 1}, {"where it is shorter", float64(r.Shorter.Of), 1},
		{"unanimous", float64(r.Agreeing.Of), 1}, {"divided", float64(r.Divided.Of), 1},
	} {
		if math.Abs(tt.got-tt.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", tt.what, tt.got, tt.want)
		}
	}
	if len(r.Principles) != 2 || r.Principles[0].Judged != 3 || r.Principles[0].Accuracy.Of != 2 || r.Principles[1].Accuracy.Count != 1 {
		t.Errorf("by principle: %+v", r.Principles)
	}
	if r.Calibrated != nil {
		t.Error("a temperature from two pairs")
	}
}

// TestByTag: a pair counts for each of its tags, and one without tags for none.
func TestByTag(t *testing.T) {
	a, b, c, d := asked("a", "x", "y", First), asked("b", "x", "y", First), asked("c", "x", "y", Second), asked("d", "x", "y", First)
	a.Attributes.Tags, b.Attributes.Tags, c.Attributes.Tags = []string{"harm", "law"}, []string{"law"}, []string{"harm"}
	right, wrong := [2]float64{0.9, 0.9}, [2]float64{0.1, 0.1}
	r := NewReport([]Pair{a, b, c, d}, []Label{judged("a", right), judged("b", wrong), judged("c", wrong), judged("d", right)}, better)
	if len(r.Tags) != 2 {
		t.Fatalf("%+v", r.Tags)
	}
	for i, want := range []struct {
		tag   string
		share float64
	}{{"harm", 1}, {"law", 0.5}} {
		if got := r.Tags[i]; got.Tag != want.tag || got.Accuracy.Share != want.share || got.Accuracy.Of != 2 {
			t.Errorf("%+v, want %+v of 2", got, want)
		}
	}
}

// TestNothingKnown: without truth there is no accuracy, not even one of 0.
func TestNothingKnown(t *testing.T) {
	r := NewReport([]Pair{asked("a", "x", "y", Unknown)}, []Label{judged("a", [2]float64{0.9, 0.9})}, better)
	if r.Known != nil || r.Principles[0].Accuracy != nil {
		t.Errorf("%+v", r)
	}
}

// TestOnePrinciple: where one of three principles is wrong and the less sure one, all averaged are right, and one is in two of three cases.
func TestOnePrinciple(t *testing.T) {
	var in []Pair
	var labels []Label
	for i := range 20 { // some of which are turned
		id := fmt.Sprint(i)
		in, labels = append(in, asked(id, "x", "y", First)), append(labels, judged(id, [2]float64{0.9, 0.8}, [2]float64{0.9, 0.7}, [2]float64{0.3, 0.4}))
	}
	r := NewReport(in, labels, better)
	near := func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }
	if a := r.OfPrinciples; r.Accuracy != 1 || !near(a.One.Share, 2./3) || !near(a.Gain.Value, 1./3) || !near(a.Small.Gain.Value, 1./3) {
		t.Errorf("%v right, %+v", r.Accuracy, a)
	}
	if r.Orders.Gain.Value != 0 {
		t.Errorf("orders that agree gain %v", r.Orders.Gain.Value)
	}
}

// TestCalibration: of a judge whose log-odds are three times what they should be, the temperature is found to be 3, and the error
// that is left is that of chance.
func TestCalibration(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var in []Pair
	var labels []Label
	for i := range 20_000 {
		odds := 2 * r.NormFloat64()
		p := 1 / (1 + math.Exp(-odds))
		truth := Second
		if r.Float64() < p {
			truth = First
		}
		said := 1 / (1 + math.Exp(-3*odds))
		id := fmt.Sprint(i)
		in = append(in, asked(id, "x", "y", truth))
		labels = append(labels, judged(id, [2]float64{said, said}))
	}
	k := NewReport(in, labels, better).Known
	c := k.Calibrated
	if c == nil || math.Abs(c.Temperature-3) > 0.15 {
		t.Fatalf("%+v, want a temperature of 3", c)
	}
	if c.Fitted+c.Reported != 20_000 || c.Reported < 9_500 {
		t.Errorf("fitted on %d pairs, reported on %d", c.Fitted, c.Reported)
	}
	if k.ECE < 0.05 || c.ECE > 0.015 || c.Brier > k.Brier || c.Skill < k.Skill {
		t.Errorf("ECE %.3f and Brier %.3f before, %.3f and %.3f after", k.ECE, k.Brier, c.ECE, c.Brier)
	}
}

// TestCalibrationOfPlaces: of a judge that knows the odds, beside a strong liking for what is shown first, calibration leaves the error
// of chance: what the place adds goes out in the mean of both orders.
func TestCalibrationOfPlaces(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var in []Pair
	var labels []Label
	for i := range 20_000 {
		odds := 2 * r.NormFloat64()
		truth := Second
		if r.Float64() < tempered(odds, 1) {
			truth = First
		}
		id := fmt.Sprint(i)
		in, labels = append(in, asked(id, "x", "y", truth)), append(labels, judged(id, [2]float64{tempered(odds+3, 1), tempered(odds-3, 1)}))
	}
	k := NewReport(in, labels, better).Known
	if c := k.Calibrated; k.ECE < 0.03 || c.ECE > 0.015 || math.Abs(c.Temperature-1) > 0.05 || c.Skill < k.Skill {
		t.Errorf("ECE %.3f, skill %.3f before; %+v after", k.ECE, k.Skill, c)
	}
}

// TestReliabilityOfPreferenceSets: where the better response always comes first, both halves of the scale are there all the
// same, and a judge that says what is true has skill.
func TestReliabilityOfPreferenceSets(t *testing.T) {
	var in []Pair
	var labels []Label
	for i := range 400 {
		id := fmt.Sprint("pair ", i)
		in = append(in, asked(id, "x", "y", First))
		labels = append(labels, judged(id, [2]float64{0.9, 0.95}))
	}
	k := NewReport(in, labels, better).Known
	low, high := k.Reliability[0], k.Reliability[9]
	if low.Pairs < 150 || high.Pairs < 150 || low.Share != 0 || high.Share != 1 || k.Accuracy != 1 || k.Skill < 0.9 {
		t.Errorf("%+v", k)
	}
}

// TestCalibrationHeldOut: what is held out for training, up to half of the prompts, decides no temperature.
func TestCalibrationHeldOut(t *testing.T) {
	var pairs, others []knownPair
	for i := range 400 {
		conversation := []chat.Message{{Role: chat.User, Text: fmt.Sprint("prompt ", i)}}
		k := knownPair{place: split.Of(chat.Texts(conversation)), first: i%4 > 0, odds: 0.5 + float64(i%7)/10}
		pairs = append(pairs, k)
		if k.place.HeldOut(reported) {
			k.odds = -k.odds
		}
		others = append(others, k)
	}
	a, b := calibrate(pairs), calibrate(others)
	if a == nil || b == nil || a.Temperature != b.Temperature || a.ECE == b.ECE {
		t.Errorf("%+v, and where what is held out says the opposite %+v", a, b)
	}
}
