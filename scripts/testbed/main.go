// Testbed writes what the testbed model is trained on, from the grammar in models/testbed.
//
//	testbed corpus --groups 3000 --seed 1 > corpus.jsonl
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"

	"amend/constitution"
	"amend/engine/chat"
	"amend/engine/revise"
	"amend/models/testbed"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	if len(args) == 0 || args[0] != "corpus" {
		return fmt.Errorf("usage: testbed corpus --groups N --seed S")
	}
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	groups := flags.Int("groups", 0, "how many groups of trees to write")
	seed := flags.Uint64("seed", 1, "of everything drawn")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	doc, err := constitution.Load("testbed")
	if err != nil {
		return err
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], *seed)
	a := &author{world: testbed.New(), doc: doc, rand: rand.New(rand.NewChaCha8(key))}
	out := bufio.NewWriter(stdout)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for range *groups {
		if err := enc.Encode(a.group()); err != nil {
			return fmt.Errorf("writing the corpus: %w", err)
		}
	}
	return out.Flush()
}

// group is what one step of training takes: trees behind one preamble.
type group struct {
	Preamble []node `json:"preamble"` // the few-shots, a chain; none in some groups
	Trees    []tree `json:"trees"`
}

// groupTrees is how many trees share a preamble.
const groupTrees = 16

func (a *author) group() group {
	g := group{Preamble: a.preamble()}
	for range groupTrees {
		g.Trees = append(g.Trees, a.tree())
	}
	return g
}

// preamble is the constitution's few-shots, others, or none.
func (a *author) preamble() []node {
	switch a.rand.IntN(4) {
	case 0:
		return nil
	case 1:
		return a.otherShots()
	default:
		return a.chain(revise.FewShots(a.doc, ""))
	}
}

func (a *author) chain(msgs []chat.Message) []node {
	var t tree
	for i, m := range msgs {
		t.add(i-1, m.Role, m.Text)
	}
	return t.Nodes
}

// otherShots are new demonstrations, one to three.
func (a *author) otherShots() []node {
	doc := *a.doc
	doc.Demonstrations = nil
	for range 1 + a.rand.IntN(3) {
		p := a.world.DrawPrompt(a.rand, false)
		r := a.world.DrawResponse(a.rand, p)
		q := a.principleFor(r)
		flags := a.world.Flags(q.Principle, r)
		doc.Demonstrations = append(doc.Demonstrations, constitution.Demonstration{
			Prompt: p.Text, Response: r.Text, Critique: a.world.WriteCritique(r, flags),
			Revision:        a.world.Revise(a.rand, p, r, flags).Text,
			CritiqueRequest: q.critique, RevisionRequest: q.revision,
		})
	}
	return a.chain(revise.FewShots(&doc, ""))
}

// tree draws a task.
func (a *author) tree() tree {
	switch n := a.rand.IntN(100); {
	case n < 42:
		return a.loop()
	case n < 48:
		return a.appended()
	case n < 76:
		return a.judge()
	case n < 86:
		return a.principleFirst()
	case n < 91:
		return a.redTeam()
	case n < 95:
		return a.propose()
	default:
		return a.instructed()
	}
}
