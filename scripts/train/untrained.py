#!/usr/bin/env python3
"""Writes an adapter of random numbers, in the form of train.py's, for a test of how amend computes with one.

    untrained.py --model M.gguf --out ADAPTER

It changes all the modules that training does, in the first, the middle and the last layer: others are to stay as they are. What
it adds is about as large as --size times the module's own output, and its scale is neither 1 nor training's 2.
"""

import argparse

import torch
from peft import LoraConfig, get_peft_model

import base
from train import MODULES


@torch.no_grad()
def fill(model, size):
    """A keeps its input's size, B makes of it what --size says of the module's own output. (PEFT begins with a B of zeros.)"""
    for module in model.modules():
        if not hasattr(module, "lora_A"):
            continue
        a, b = module.lora_A["default"].weight, module.lora_B["default"].weight
        a.normal_(std=a.shape[1] ** -0.5)
        weights = module.get_base_layer().weight
        b.normal_(std=size * weights.std().item() * (weights.shape[1] / a.shape[0]) ** 0.5 / module.scaling["default"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True, help="the base model, a GGUF")
    p.add_argument("--out", required=True, help="folder of the new adapter")
    p.add_argument("--rank", type=int, default=2)
    p.add_argument("--size", type=float, default=0.3)
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    model = base.load(o.model)
    last = model.config.num_hidden_layers - 1
    layers = sorted({0, last // 2, last})
    lora = LoraConfig(r=o.rank, lora_alpha=1.5 * o.rank, target_modules=MODULES, layers_to_transform=layers, task_type="CAUSAL_LM")
    model = get_peft_model(model, lora)
    torch.manual_seed(o.seed)
    fill(model, o.size)
    base.save(model, o.model, o.out)


if __name__ == "__main__":
    main()
