package testbed

// Choice is which of two responses is better.
type Choice int

// The choices.
const (
	Neither Choice = iota
	A
	B
)

// Prefers is the true preference under a principle: the response that breaks less of what the principle covers.
func (w *World) Prefers(p Principle, a, b Response) Choice {
	return fewer(len(w.Breaks(p, a)), len(w.Breaks(p, b)))
}

// Judgement is what the world's judge says of two responses, and which planted fault made it say so.
type Judgement struct {
	Choice Choice
	Fault  JudgeFault
}

// JudgeFault is a fault of the judge that decided a judgement.
type JudgeFault string

// The faults of the judge.
const (
	Sound    JudgeFault = ""         // none: the judgement is the truth
	Sight    JudgeFault = "sight"    // its critic overlooks a breach, or sees one where there is none
	Position JudgeFault = "position" // it says (A) whatever stands there
	Length   JudgeFault = "length"   // it prefers the response with more points
)

// Judges is what the world's judge says: it sees what its critic sees, and has biases of its own.
func (w *World) Judges(p Principle, a, b Response) Judgement {
	inA, inB := w.Flags(p, a), w.Flags(p, b)
	choice := fewer(len(inA), len(inB))
	sound := Judgement{Choice: choice}
	if sound.Choice != w.Prefers(p, a, b) {
		sound.Fault = Sight
	}
	if choice == Neither {
		return sound
	}
	worse, better, first := a, b, inA
	if choice == A {
		worse, better, first = b, a, inB
	}
	c := cell{"", first[0].Rule, first[0].Class}
	if w.faults.placed[c] {
		return Judgement{A, Position}
	}
	if w.faults.lengthy[c] && len(worse.Sentences) > len(better.Sentences) {
		return Judgement{other(choice), Length}
	}
	return sound
}

func fewer(a, b int) Choice {
	switch {
	case a < b:
		return A
	case a > b:
		return B
	}
	return Neither
}

func other(c Choice) Choice {
	switch c {
	case A:
		return B
	case B:
		return A
	case Neither:
	}
	return Neither
}

// Answer is how a judgement is written, "" for Neither.
func (c Choice) Answer() string {
	switch c {
	case A:
		return "(A)"
	case B:
		return "(B)"
	case Neither:
	}
	return ""
}

// Reasons is the reasoning of the world's judge before its answer: what is asked for, and what either response does.
func (w *World) Reasons(p Principle, a, b Response) string {
	return w.asks(p) + " (A) " + w.findings(a, w.Flags(p, a)) + " (B) " + w.findings(b, w.Flags(p, b))
}
