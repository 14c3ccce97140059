#!/usr/bin/env python3
"""Trains a LoRA adapter on the token ids of a training set (amend model tokens), with TRL.

    train.py sft --model M.gguf --tokens sft.jsonl --out ADAPTER
    train.py dpo --model M.gguf --tokens dpo.jsonl --adapter SL --out ADAPTER

sft learns the completions. dpo goes on from the adapter SL, which is also its reference. Losses are printed as JSON lines.
"""

import argparse
import json
import os

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

import base

# Attention and MLP, by the names that transformers has for them in models of Llama's kind.
MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def read(path, least):
    with open(path, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    if len(rows) < least:
        raise SystemExit(f"{path} has {len(rows)} rows, and at least {least} are needed for one step: make more, or lower --batch")
    return rows


def fit(path, rows, most):
    """Refuses rows that are longer than trainers take: they would cut off the end of an answer without a word."""
    answers = ("completion_ids", "chosen_ids", "rejected_ids")
    lengths = [len(r["prompt_ids"]) + max(len(r[k]) for k in answers if k in r) for r in rows]
    longer = [n for n in lengths if n > most]
    if longer:
        raise SystemExit(
            f"{path} has {len(longer)} of {len(rows)} rows with more tokens than --max-length {most}, the longest {max(longer)}, "
            f"and their ends would not be learned: give --max-length {max(longer)}, or leave these rows out"
        )


def completions(rows):
    return Dataset.from_list(
        [
            {
                "input_ids": r["prompt_ids"] + r["completion_ids"],
                "completion_mask": [0] * len(r["prompt_ids"]) + [1] * len(r["completion_ids"]),
            }
            for r in rows
        ]
    )


def pairs(rows):
    return Dataset.from_list([{k: r[k] for k in ("prompt_ids", "chosen_ids", "rejected_ids")} for r in rows])


class PairsOfIds(DPOTrainer):
    """DPO on rows that are token ids already."""

    def _prepare_dataset(self, dataset, *_, **__):
        return dataset


class Tell(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        kept = {k: v for k, v in (logs or {}).items() if k in ("loss", "rewards/accuracies", "rewards/margins", "mean_token_accuracy")}
        if "loss" in kept:
            print(json.dumps({"step": state.global_step, **kept}), flush=True)


def settings(kind, o, **more):
    return kind(
        output_dir=os.path.join(o.out, "trainer"),
        num_train_epochs=o.epochs,
        per_device_train_batch_size=o.batch,
        learning_rate=o.rate,
        lr_scheduler_type="cosine",
        warmup_steps=10,
        logging_steps=10,
        max_steps=o.steps,
        seed=o.seed,
        report_to="none",
        save_strategy="no",
        use_cpu=not torch.cuda.is_available(),
        bf16=False,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        disable_tqdm=True,
        **more,
    )


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kind", choices=["sft", "dpo"])
    p.add_argument("--model", required=True, help="the base model, a GGUF")
    p.add_argument("--tokens", required=True, help="rows of token ids")
    p.add_argument("--adapter", help="an adapter to go on from")
    p.add_argument("--out", required=True, help="folder of the new adapter")
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--epochs", type=float, default=2)
    p.add_argument("--steps", type=int, default=-1, help="end after so many, whatever the epochs")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, help="default 1e-3 for sft, 5e-5 for dpo")
    p.add_argument("--beta", type=float, default=0.1, help="of dpo")
    p.add_argument("--max-length", type=int, default=1024, help="tokens of a row, of prompt and answer: longer ones are refused")
    p.add_argument("--seed", type=int, default=1)
    o = p.parse_args()
    o.rate = o.rate or {"sft": 1e-3, "dpo": 5e-5}[o.kind]
    rows = read(o.tokens, o.batch)
    fit(o.tokens, rows, o.max_length)
    torch.manual_seed(o.seed)
    model = base.load(o.model)
    tokenizer = base.padder(model)
    if o.adapter:
        model = PeftModel.from_pretrained(model, o.adapter, is_trainable=True)
    else:
        model = get_peft_model(model, LoraConfig(r=o.rank, lora_alpha=2 * o.rank, target_modules=MODULES, task_type="CAUSAL_LM"))
    if o.kind == "sft":
        config = settings(SFTConfig, o, max_length=o.max_length, completion_only_loss=True, packing=False)
        trainer = SFTTrainer(model=model, args=config, train_dataset=completions(rows), processing_class=tokenizer, callbacks=[Tell()])
    else:
        config = settings(DPOConfig, o, max_length=o.max_length, beta=o.beta)
        trainer = PairsOfIds(model=model, args=config, train_dataset=pairs(rows), processing_class=tokenizer, callbacks=[Tell()])
    trainer.train()
    base.save(trainer.model, o.model, o.out)


if __name__ == "__main__":
    main()
