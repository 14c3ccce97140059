"""Muon (Jordan et al. 2024): momentum whose updates are made orthogonal, for matrices of hidden layers.

torch.optim.Muon computes in bfloat16, which CPUs without instructions for it do some twenty times slower than this.
"""

import torch


def orthogonal(g):
    """An approximately orthogonal matrix near g, by Newton-Schulz iterations; g is [matrices, rows, columns]."""
    a, b, c = 3.4445, -4.7750, 2.0315  # the authors' coefficients
    wide = g.shape[-2] <= g.shape[-1]
    x = g if wide else g.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        s = x @ x.mT
        x = a * x + (b * s + c * s @ s) @ x
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """Updates have the root mean square of AdamW's, so that one learning rate serves both."""

    def __init__(self, params, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(p.shape, []).append(p)
            for shape, params in shapes.items():
                self._step(group, shape, params)

    def _step(self, group, shape, params):
        momentum = group["momentum"]
        nudges = []
        for p in params:
            state = self.state[p]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(p)
            kept = state["momentum"].lerp_(p.grad, 1 - momentum)
            nudges.append(p.grad.lerp(kept, momentum))
        updates = orthogonal(torch.stack(nudges))
        scale = 0.2 * max(shape) ** 0.5
        for p, update in zip(params, updates, strict=True):
            p.mul_(1 - group["lr"] * group["weight_decay"])
            p.add_(update, alpha=-group["lr"] * scale)
