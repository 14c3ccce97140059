package llama

// Forget makes the grammar look for the next tokens again.
func (g *Grammar) Forget() { g.known = false }
