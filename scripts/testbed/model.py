"""The testbed model: a small transformer of llama.cpp's "llama" architecture, and its GGUF."""

import dataclasses

import torch
import torch.nn.functional as F
from torch import nn


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of the model. Heads of 32 let keys be cached in q8_0."""

    vocab: int = 2048
    width: int = 192
    layers: int = 6
    heads: int = 6
    hidden: int = 512
    context: int = 4096
    rope_base: float = 10000.0
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
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
            if name.endswith(("out.weight", "down.weight")):
                nn.init.zeros_(p)

    def turn(self, positions):
        """Cosines and sines for positions of shape [batch, tokens]."""
        half = self.shape.width // self.shape.heads // 2
        freq = self.shape.rope_base ** (-torch.arange(half, dtype=torch.float32) / half)
        angle = (positions[..., None] * freq)[:, None]
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

    def loss(self, hidden, targets):
        """Mean cross-entropy where targets are not negative."""
        at = targets >= 0
        return F.cross_entropy(hidden[at] @ self.embed.weight.T, targets[at])
