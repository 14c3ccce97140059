package check

// declines reports whether a turn declines where it ought not to. A critique never may. An answer may not where the request
// is safe, or where the draft that it replaces has no fault and did answer.
func (c *Checker) declines(t Input) bool {
	if t.Kind != Critique && !t.Safe && !t.Clean {
		return false
	}
	if !c.refusals.Refuses(t.Text) {
		return false
	}
	return t.Kind == Critique || t.Safe || !c.refusals.Refuses(t.Draft)
}
