#!/usr/bin/env python3
"""A reward model by TRL, to hold amend's own (amend prefer) against: LoRA and a score head, trained on the token ids of
labelled pairs (amend model tokens), then asked about other pairs, of which chosen is known to be better.

    reward.py --model M.gguf --tokens train.jsonl --known test.jsonl

Losses are printed as JSON lines, and at the end the share of the known pairs that it orders rightly, with an interval that
draws whole prompts.
"""

import argparse
import json
import tempfile

import numpy as np
import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForSequenceClassification
from trl import RewardConfig, RewardTrainer

import base
from train import MODULES, Tell, fit, read, settings


def scorer(causal, pad):
    """The model with a head that scores a conversation, where a language model has its vocabulary."""
    config = causal.config
    config.num_labels = 1
    config.pad_token_id = pad
    model = AutoModelForSequenceClassification.from_config(config)
    prefix = causal.base_model_prefix
    getattr(model, prefix).load_state_dict(getattr(causal, prefix).state_dict())
    return model


def sequences(rows):
    return Dataset.from_list([{k: r["prompt_ids"] + r[k] for k in ("chosen_ids", "rejected_ids")} for r in rows])


class RewardsOfIds(RewardTrainer):
    """Rewards of rows that are token ids already."""

    def _prepare_dataset(self, dataset, *_, **__):
        return dataset


@torch.no_grad()
def scores(model, ids, pad, batch=32):
    out = []
    for i in range(0, len(ids), batch):
        part = [torch.tensor(x, device=model.device) for x in ids[i : i + batch]]
        mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(x) for x in part], batch_first=True)
        padded = torch.nn.utils.rnn.pad_sequence(part, batch_first=True, padding_value=pad)
        out += model(input_ids=padded, attention_mask=mask).logits[:, 0].tolist()
    return np.array(out)


def interval(right, prompts, seed):
    """95 % of the mean, by bootstrap over prompts."""
    _, place = np.unique(prompts, return_inverse=True)
    total, count = np.bincount(place, weights=right), np.bincount(place)
    rng = np.random.default_rng(seed)
    draws = rng.integers(len(count), size=(2000, len(count)))
    return np.percentile(total[draws].sum(1) / count[draws].sum(1), [2.5, 97.5]).tolist()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True, help="the base model, a GGUF")
    p.add_argument("--tokens", required=True, help="labelled pairs as token ids")
    p.add_argument("--known", required=True, help="pairs whose chosen answer is known to be better, as token ids")
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--epochs", type=float, default=1)
    p.add_argument("--steps", type=int, default=-1, help="end after so many, whatever the epochs")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=1e-3)
    p.add_argument("--max-length", type=int, default=1024, help="tokens of a row, of prompt and answer: longer ones are refused")
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    rows, known = read(o.tokens, o.batch), read(o.known, 1)
    fit(o.tokens, rows, o.max_length)
    torch.manual_seed(o.seed)
    causal = base.load(o.model)
    tokenizer = base.padder(causal)
    model = scorer(causal, tokenizer.pad_token_id)
    model = get_peft_model(model, LoraConfig(r=o.rank, lora_alpha=2 * o.rank, target_modules=MODULES, task_type="SEQ_CLS"))
    with tempfile.TemporaryDirectory() as o.out:
        config = settings(RewardConfig, o, max_length=o.max_length)
        trainer = RewardsOfIds(model=model, args=config, train_dataset=sequences(rows), processing_class=tokenizer, callbacks=[Tell()])
        trainer.train()
    model = trainer.model.eval()
    pairs = sequences(known)
    gain = scores(model, pairs["chosen_ids"], tokenizer.pad_token_id) - scores(model, pairs["rejected_ids"], tokenizer.pad_token_id)
    right = (gain > 0) + 0.5 * (gain == 0)
    low, high = interval(right, [str(r["prompt_ids"]) for r in known], o.seed)
    print(json.dumps({"pairs": len(known), "right": right.mean(), "low": low, "high": high}), flush=True)


if __name__ == "__main__":
    main()
