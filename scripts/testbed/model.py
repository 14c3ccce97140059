"""The testbed model: a small transformer of llama.cpp's "llama" architecture, and its GGUF."""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the model. Heads of 32 let keys be cached in q8_0."""

    vocab: int = 2048
    width: int = 128
    layers: int = 5
    heads: int = 4
    hidden: int = 256
    context: int = 4096
    rope_base: float = 1e6
    eps: float = 1e-5


class Norm(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape.width))
        self.eps = shape.eps

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, self.eps)


def rotate(x, cos, sin):
    """Turns neighbouring pairs of a head, as llama.cpp does for this architecture (LLAMA_ROPE_TYPE_NORM)."""
    a, b = x[..., 0::2], x[..., 1::2]
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


def interleave(a, b):
    """Rows of a and b by turns, two at a time: what rope turns together stays together."""
    return torch.stack((a.unflatten(0, (-1, 2)), b.unflatten(0, (-1, 2))), 1).flatten(0, 2)


class Layer(nn.Module):
    def __init__(self, shape):
        super().__init__()
        w = shape.width
        self.heads = shape.heads
        self.attn_norm, self.ffn_norm = Norm(shape), Norm(shape)
        self.qkv = nn.Linear(w, 3 * w, bias=False)
        self.out = nn.Linear(w, w, bias=False)
        self.gate_up = nn.Linear(w, 2 * shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, w, bias=False)

    def project(self, x, turn):
        """Queries, keys and values of x, of shape [batch, heads, tokens, head]."""
        b, n, w = x.shape
        q, k, v = self.qkv(self.attn_norm(x)).view(b, n, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        return rotate(q, *turn), rotate(k, *turn), v

    def finish(self, x, mixed):
        """What follows attention: the output projection and the feed-forward part."""
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        gate, up = self.gate_up(self.ffn_norm(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


class Model(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.shape = shape
        self.embed = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = Norm(shape)
        self.start()

    @torch.no_grad()
    def start(self):
        """Weights to begin with: small random numbers, and attention that copies.

        Copying is most of what this model does, and slow to learn from random weights. So it begins with the circuit in
        place (as in mimetic initialization, Trockman and Kolter 2023). Half of the first layer's heads attend to the token before, half to the one before that, and add what it is, each in a
        space of its own. Heads of later layers attend to places before which the same two tokens stand as at the
        present one, and add what stands there. Training changes all of it.
        """
        s, w = self.shape, self.shape.width
        size, half = w // s.heads, w // 2
        nn.init.normal_(self.embed.weight, std=0.1)
        self.embed.weight[:, 0] = 0.5  # the same for all tokens: what a head that looks at places alone starts from
        same = torch.eye(w)
        same[0, 0] = 0
        turned = torch.linalg.qr(torch.randn(w, w))[0]
        turned[0] = 0
        here, before, earlier = same[:half], turned.T[:half], turned.T[half:]
        for layer in self.layers:
            nn.init.normal_(layer.gate_up.weight, std=0.02)
            nn.init.zeros_(layer.down.weight)
        first = self.layers[0]
        query, key, value = first.qkv.weight.chunk(3)
        nn.init.normal_(query, std=0.02)
        nn.init.normal_(key, std=0.02)
        value.copy_(torch.cat((here, here)))
        first.out.weight.copy_(0.1 * turned)
        freq = self.frequencies()[:5]  # the fast ones tell neighbours apart
        for head in range(s.heads):
            back = (1 if head < s.heads // 2 else 2) * freq
            at = head * size + 2 * torch.arange(len(freq))
            query[at, 0], query[at + 1, 0] = 1.35 * back.cos(), -1.35 * back.sin()
            key[at, 0], key[at + 1, 0] = 1.35, 0
        for layer in self.layers[1:]:
            query, key, value = layer.qkv.weight.chunk(3)
            for head in range(s.heads):
                rows = slice(head * size, (head + 1) * size)
                part = slice(head * size // 2, (head + 1) * size // 2)
                # Alternating pairs, so that either token has slow frequencies, which see the same thing far away.
                query[rows] = 1.2 * interleave(here[part], before[part])
                key[rows] = 1.2 * interleave(before[part], earlier[part])
            value.copy_(same)
            layer.out.weight.copy_(0.03 * same)

    def frequencies(self):
        """By how much each pair of a head turns from one place to the next."""
        half = self.shape.width // self.shape.heads // 2
        return self.shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)

    def turn(self, positions):
        """Cosines and sines for positions of shape [batch, tokens]."""
        angle = (positions[..., None] * self.frequencies())[:, None]
        return angle.cos(), angle.sin()

    def forward(self, tokens, positions, mask, preamble):
        """Hidden states of trees behind a preamble.

        tokens and positions are [batch, tokens]; mask [batch, 1, tokens, tokens] says what each token sees of its
        tree; preamble is [tokens], which all of them see whole. It is computed once for all trees.
        """
        x, turn = self.embed(tokens), self.turn(positions)
        batch, length = tokens.shape
        p = len(preamble)
        if p:
            y = self.embed(preamble)[None]
            turn_y = self.turn(torch.arange(p)[None])
            mask = torch.cat((torch.zeros(batch, 1, length, p), mask), -1)
        for layer in self.layers:
            q, k, v = layer.project(x, turn)
            if p:
                qy, ky, vy = layer.project(y, turn_y)
                y = layer.finish(y, F.scaled_dot_product_attention(qy, ky, vy, is_causal=True))
                k = torch.cat((ky.expand(batch, -1, -1, -1), k), 2)
                v = torch.cat((vy.expand(batch, -1, -1, -1), v), 2)
            x = layer.finish(x, F.scaled_dot_product_attention(q, k, v, attn_mask=mask))
        return self.norm(x)

    def loss(self, hidden, targets, weights):
        """The sum of cross-entropies by weight, where weights are not 0."""
        at = weights > 0
        return F.cross_entropy(hidden[at] @ self.embed.weight.T, targets[at], reduction="none") @ weights[at]
