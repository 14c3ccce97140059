// Testbed writes texts of the testbed's world, from the grammar in models/testbed: what its model is trained on, and
// prompts in wordings that training never sees; and what the oracle says of the runs of scripts/testbed/experiments and scripts/train/testbed-loop.
//
//	testbed corpus --count 2400 --seed 1 > corpus.jsonl
//	testbed heldout --count 2000 --seed 2 > heldout.jsonl
//	testbed experiments --runs DIR > table.md
//	testbed policies RUN[,RUN…] RUN[,RUN…]… > table.md
//	testbed labels RUN RUN… > table.md
//	testbed judges RUN[,RUN…] RUN[,RUN…]… > table.md
//	testbed rewards RUN DIR
//	testbed shorter RUN
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
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
	const usage = "usage: testbed corpus|heldout --count N --seed S, testbed experiments --runs DIR, testbed policies RUN RUN…, testbed labels RUN…, testbed judges RUN RUN…, testbed rewards RUN DIR, or testbed shorter RUN"
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	count := flags.Int("count", 0, "how many groups of trees, or prompts, to write")
	seed := flags.Uint64("seed", 1, "of everything drawn")
	runs := flags.String("runs", "", "the folder that scripts/testbed/experiments filled")
	test := flags.Float64("test", 0.2, "the share of prompts that amend prefer train held out")
	known := flags.Bool("known", false, "prompts in wordings of training, in place of held-out ones")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], *seed)
	world, source, out := testbed.New(), rand.New(rand.NewChaCha8(key)), bufio.NewWriter(stdout)
	var err error
	switch args[0] {
	case "corpus":
		err = writeCorpus(out, world, source, *count)
	case "heldout":
		err = writePrompts(out, world, source, *count, !*known)
	case "experiments":
		err = writeExperiments(out, world, *runs)
	case "policies":
		err = writePolicies(out, world, flags.Args())
	case "labels":
		err = writeLabels(out, world, flags.Args())
	case "judges":
		err = writeJudges(out, world, flags.Args())
	case "rewards":
		if flags.NArg() != 2 {
			return errors.New(usage)
		}
		err = writeRewards(world, flags.Arg(0), flags.Arg(1), *test)
	case "shorter":
		if flags.NArg() != 1 {
			return errors.New(usage)
		}
		err = labelShorter(flags.Arg(0))
	default:
		err = errors.New(usage)
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func writeCorpus(out io.Writer, w *testbed.World, r *rand.Rand, groups int) error {
	doc, err := constitution.Load("testbed")
	if err != nil {
		return err
	}
	a := &author{world: w, doc: doc, rand: r}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for range groups {
		if err := enc.Encode(a.group()); err != nil {
			return fmt.Errorf("writing the corpus: %w", err)
		}
	}
	return nil
}

// group is what one step of training takes: trees behind one preamble.
type group struct {
	Preamble []node `json:"preamble"` // the demonstrations, a chain; none in some groups
	Trees    []tree `json:"trees"`
}

// groupTrees is how many trees share a preamble.
const groupTrees = 16

// judgeGroupOneIn of the groups are judgements alone, behind worked ones.
const judgeGroupOneIn = 8

func (a *author) group() group {
	if a.chance(judgeGroupOneIn) {
		return a.judgeGroup()
	}
	g := group{Preamble: a.preamble()}
	for range groupTrees {
		g.Trees = append(g.Trees, a.tree())
	}
	return g
}

// preamble is the constitution's demonstrations, others, or none.
func (a *author) preamble() []node {
	switch a.rand.IntN(4) {
	case 0:
		return nil
	case 1:
		return a.otherShots()
	default:
		return a.chain(revise.Demonstrations(a.doc, ""))
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
			Prompt: p.Text, Response: r.Text, Critique: a.world.WriteCritique(q.Principle, r, flags),
			Revision:        a.world.Revise(a.rand, p, r, flags).Text,
			CritiqueRequest: q.critique, RevisionRequest: q.revision,
		})
	}
	return a.chain(revise.Demonstrations(&doc, ""))
}

// tree draws a task.
func (a *author) tree() tree {
	switch n := a.rand.IntN(100); {
	case n < 38:
		return a.loop()
	case n < 48:
		return a.answered()
	case n < 54:
		return a.appended()
	case n < 78:
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
