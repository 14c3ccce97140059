#!/usr/bin/env python3
"""Trains the testbed model on a corpus of `testbed corpus` and writes it as a GGUF. See README.md beside it."""

import argparse
import json
import random
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer

from data import Encoder, batches, copies, read, shorten, train_tokenizer
from export import write_gguf
from model import Model, Shape
from muon import Muon

TEMPLATE = Path(__file__).parent / "template.jinja"
# Learning rates: of the layers' matrices, and of embeddings and norms.
RATE = 6e-3
RATE_EMBEDDINGS = 3e-3
WARM_UP = 50
# The share of steps after which the rate falls in a line to nothing.
STEADY = 0.4
# The shares of steps after which whole trees follow on single conversations, and demonstrations stand before them: what
# is short is quick.
SINGLE = 0.4
BARE = 0.75
# Sequences of random tokens in each step that repeat a part of themselves. Without them the grammar is learned by heart
# first, and copying thousands of steps later.
COPIES = 6
# The learning rate of the first two layers' attention, in which copying begins (Model.start), as a share of the others'.
COPYING = 0.3
# Tokens in one pass, with padding.
BATCH_TOKENS = 1536
# Texts for the tokenizer are of so many groups.
TOKENIZER_GROUPS = 400


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True, type=Path, help="what `testbed corpus` wrote")
    parser.add_argument("--work", required=True, type=Path, help="directory for the tokenizer and checkpoints; training resumes from it")
    parser.add_argument("--out", required=True, type=Path, help="the GGUF to write")
    parser.add_argument("--steps", required=True, type=int, help="groups of the corpus to train on, one a step")
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    o.work.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(o.seed)
    encoder = Encoder(open_tokenizer(o))
    model = Model(Shape(vocab=encoder.tokenizer.get_vocab_size()))
    train(o, encoder, model)
    write_gguf(o.out, model, encoder.tokenizer, TEMPLATE.read_text(encoding="utf-8"))
    print(f"{o.out}: {o.out.stat().st_size} bytes")


def open_tokenizer(o):
    path = o.work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(o.corpus, Shape.vocab, TOKENIZER_GROUPS).save(str(path))
    return Tokenizer.from_file(str(path))


def optimizers(model):
    """Muon for the matrices of the layers, AdamW for embeddings and norms."""
    copying = [m.weight for layer in model.layers[:2] for m in (layer.qkv, layer.out)]
    matrices = [p for layer in model.layers for p in layer.parameters() if p.dim() == 2 and not any(p is c for c in copying)]
    others = [model.embed.weight, *(p for p in model.parameters() if p.dim() == 1)]
    return [
        Muon(matrices, lr=RATE),
        Muon(copying, lr=RATE * COPYING),
        torch.optim.AdamW(others, lr=RATE_EMBEDDINGS, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def rate(step, steps):
    """The share of the full learning rates at a step."""
    return min(1, (step + 1) / WARM_UP, (steps - step) / (steps * (1 - STEADY)))


def train(o, encoder, model):
    optims = optimizers(model)
    start = resume(o, model, optims)
    began, shown = time.monotonic(), 0.0
    for step, group in enumerate(read(o.corpus, o.steps)):
        if step < start:
            continue
        for optim in optims:
            for g in optim.param_groups:
                g["lr"] = g.setdefault("full", g["lr"]) * rate(step, o.steps)
        rng = random.Random(step)
        if step < SINGLE * o.steps:
            group = shorten(group, rng)
        elif step < BARE * o.steps:
            group["preamble"] = []
        parts = [*batches(encoder, group, BATCH_TOKENS), copies(encoder, COPIES, rng)]
        total = float(sum(weights.sum() for (_, _, _, weights, _), _ in parts))
        mean = 0.0
        for (tokens, positions, targets, weights, mask), preamble in parts:
            loss = model.loss(model(tokens, positions, mask, preamble), targets, weights) / total
            loss.backward()
            mean += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optim in optims:
            optim.step()
            optim.zero_grad()
        shown = mean if shown == 0 else 0.95 * shown + 0.05 * mean
        if (step + 1) % 25 == 0:
            print(json.dumps({"step": step + 1, "loss": round(shown, 4), "seconds": round(time.monotonic() - began)}), flush=True)
        if (step + 1) % 200 == 0 or step + 1 == o.steps:
            save(o, model, optims, step + 1)


def save(o, model, optims, step):
    """Writes a checkpoint under its name only when it is complete."""
    path = o.work / "checkpoint.pt"
    torch.save({"step": step, "model": model.state_dict(), "optims": [p.state_dict() for p in optims]}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def resume(o, model, optims):
    path = o.work / "checkpoint.pt"
    if not path.exists():
        return 0
    state = torch.load(path)
    model.load_state_dict(state["model"])
    for optim, s in zip(optims, state["optims"], strict=True):
        optim.load_state_dict(s)
    print(f"resuming after step {state['step']}")
    return state["step"]


if __name__ == "__main__":
    main()
