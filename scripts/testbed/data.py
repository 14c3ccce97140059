"""Token ids of the corpus: the tokenizer, and trees of messages laid out for training."""

import json

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
END = "<|end|>"

# The weight of text that the model is not to write, in the loss.
READING = 0.2
# The weight of an answer of so few tokens that one of them decides, and of the words behind a quote that decide: it is
# fine, or it breaks a rule.
DECISIVE = 3.0
DECISIVE_TOKENS = 5
FINDINGS = (" is", " breaks")


def train_tokenizer(path, vocab, groups):
    """A byte-level BPE of the first groups' texts, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[*ROLES.values(), END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = (node["text"] for group in read(path, groups) for tree in group["trees"] for node in tree["nodes"])
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def read(path, limit=None):
    with open(path, encoding="utf-8") as lines:
        for i, line in enumerate(lines):
            if i == limit:
                return
            yield json.loads(line)


class Encoder:
    """Lays messages out as the chat template and the engine do: the text of a message is tokenized on its own."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.roles = {role: tokenizer.token_to_id(mark) for role, mark in ROLES.items()}
        self.end = tokenizer.token_to_id(END)
        self.findings = {self.tokenizer.encode(word, add_special_tokens=False).ids[0] for word in FINDINGS}
        self.closing = {i for token, i in tokenizer.get_vocab().items() if token.endswith('"')}
        self.cache = {}

    def text(self, text):
        ids = self.cache.get(text)
        if ids is None:
            ids = self.cache[text] = self.tokenizer.encode(text, add_special_tokens=False).ids
            if len(self.cache) > 100_000:
                self.cache.clear()
        return ids

    def layout(self, nodes):
        """Tokens, positions, targets, their weights and the mask of a tree.

        Target i is the token that follows token i in its message. A node of role "more" goes on with its parent's message, whose end
        comes only behind it.
        """
        goes_on = {n["parent"] for n in nodes if n["role"] == "more"}
        tokens, positions, targets, weights, owner, ends = [], [], [], [], [], []
        sees = np.zeros((len(nodes), len(nodes)), dtype=bool)
        for i, n in enumerate(nodes):
            ids = list(self.text(n["text"]))
            if n["role"] != "more":
                ids.insert(0, self.roles[n["role"]])
            if i not in goes_on:
                ids.append(self.end)
            start, parent = 0, n["parent"]
            if parent >= 0:
                sees[i] = sees[parent]
                start = ends[parent]
            sees[i, i] = True
            tokens += ids
            positions += range(start, start + len(ids))
            targets += ids[1:] + [0]
            weights += self.weights(n, ids)
            owner += [i] * len(ids)
            ends.append(start + len(ids))
        owner = np.array(owner)
        mask = sees[np.ix_(owner, owner)] & np.tri(len(owner), dtype=bool)
        return np.array(tokens), np.array(positions), np.array(targets), np.array(weights, dtype=np.float32), mask

    def weights(self, node, ids):
        """What the target of each token of a message weighs in the loss."""
        if not node.get("learn"):
            return [READING] * (len(ids) - 1) + [0.0]
        if len(ids) <= DECISIVE_TOKENS:
            return [DECISIVE] * (len(ids) - 1) + [0.0]
        decides = (a in self.closing and b in self.findings for a, b in zip(ids, ids[1:]))
        return [DECISIVE if d else 1.0 for d in decides] + [0.0]


def branch(nodes, rng):
    """One conversation of a tree: from a beginning to an end, drawn at each fork."""
    children = {}
    for i, n in enumerate(nodes):
        children.setdefault(n["parent"], []).append(i)
    path, at = [], -1
    while at in children:
        at = rng.choice(children[at])
        path.append({**nodes[at], "parent": len(path) - 1})
    return path


def shorten(group, rng):
    """A group without its preamble, and with one conversation of each tree."""
    return {"preamble": [], "trees": [{"nodes": branch(t["nodes"], rng)} for t in group["trees"]]}


def copies(encoder, count, rng):
    """A batch of random tokens, a part of which comes again: only that weighs, and only copying can know it."""
    rows = []
    for _ in range(count):
        vocab = range(len(ROLES) + 1, encoder.tokenizer.get_vocab_size())
        part = rng.choices(vocab, k=rng.randrange(16, 48))
        other = rng.choices(vocab, k=rng.randrange(1, 112 - 2 * len(part)))
        at = rng.randrange(len(other))
        tokens = np.array(other[:at] + part + other[at:] + part)
        weights = np.zeros(len(tokens), dtype=np.float32)
        weights[-len(part) : -1] = 1
        rows.append((tokens, np.arange(len(tokens)), np.append(tokens[1:], 0), weights, np.tri(len(tokens), dtype=bool)))
    return pad(rows, max(len(r[0]) for r in rows), 0), torch.zeros(0, dtype=torch.long)


def batches(encoder, group, most):
    """Batches of a group's trees, of like lengths and at most so many tokens with padding, behind its preamble."""
    preamble = encoder.layout(group["preamble"])[0] if group["preamble"] else np.zeros(0, dtype=int)
    trees = sorted((encoder.layout(t["nodes"]) for t in group["trees"]), key=lambda t: len(t[0]))
    while trees:
        chosen = [trees.pop()]
        length = len(chosen[0][0])
        while trees and length * (len(chosen) + 1) <= most:
            chosen.append(trees.pop())
        yield pad(chosen, length, len(preamble)), torch.from_numpy(preamble)


def pad(trees, length, offset):
    n = len(trees)
    tokens = torch.zeros(n, length, dtype=torch.long)
    positions = torch.zeros(n, length)
    targets = torch.zeros(n, length, dtype=torch.long)
    weights = torch.zeros(n, length)
    mask = torch.full((n, 1, length, length), float("-inf"))
    mask[:, :, range(length), range(length)] = 0
    for i, (ids, at, goal, weight, sees) in enumerate(trees):
        k = len(ids)
        tokens[i, :k] = torch.from_numpy(ids)
        positions[i, :k] = torch.from_numpy(at + offset)
        targets[i, :k] = torch.from_numpy(goal)
        weights[i, :k] = torch.from_numpy(weight)
        mask[i, 0, :k, :k][torch.from_numpy(sees)] = 0
    return tokens, positions, targets, weights, mask
