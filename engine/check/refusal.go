package check

import "regexp"

// apology is how a text begins that declines. The detector knows answers: of a critique that makes no sense it would say too much.
var apology = regexp.MustCompile(`^\W*(?:(?:i am |im )?(?:(?:very|so|really|truly) )?sorry|i apologi[sz]e|my apologies|apologies|unfortunately|i (?:cannot|cant|wont|will not|am unable|am not able|must decline)|im (?:unable|not able)|as an ai)\b`)

// Declines reports whether an answer declines in full what was asked. It reads English.
func (c *Checker) Declines(answer string) bool { return c.refusals.Refuses(answer) }

// declines reports whether a turn declines where it ought not to. A critique never may. An answer may not where the request
// is safe, or where the draft that it replaces has no fault and did answer.
func (c *Checker) declines(t Input) bool {
	switch {
	case t.Kind == Critique:
		return apology.MatchString(fold(t.Text)) && c.refusals.Refuses(t.Text)
	case t.Safe:
		return c.refusals.Refuses(t.Text)
	}
	return t.Clean && c.refusals.Refuses(t.Text) && !c.refusals.Refuses(t.Draft)
}
