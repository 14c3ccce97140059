"""Two steps of each of TRL's trainers on amend's training sets; prints losses and versions as JSON.

    check.py --model MODEL.gguf --sets FOLDER --ids IDS.json

FOLDER has the sets sft, dpo, kto and reward, as amend export wrote them. IDS.json has, for each row of sft, the token ids
that amend makes of the prompt (with the template's text, up to the answer) and of the answer.
"""

import argparse
import importlib.metadata
import json
import os
import tempfile

import torch
from datasets import load_dataset
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer, RewardConfig, RewardTrainer, SFTConfig, SFTTrainer

STEPS = 2


def load_tokenizer(folder, file):
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    # The GGUF names its pre-tokenizer "smollm", which transformers does not know: digits are single, the rest is GPT-2's.
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def check_ids(tokenizer, rows, ids):
    """Fails unless the tokenizer makes amend's ids of every prompt and every answer."""
    assert len(rows) == len(ids) > 0, (len(rows), len(ids))
    for row, want in zip(rows, ids):
        text = tokenizer.apply_chat_template(row["messages"][:-1], add_generation_prompt=True, tokenize=False)
        got = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert got == want["prompt"], (row["id"], got, want["prompt"])
        got = tokenizer(row["messages"][-1]["content"], add_special_tokens=False)["input_ids"]
        assert got == want["answer"], (row["id"], got, want["answer"])
    return sum(len(w["prompt"]) + len(w["answer"]) for w in ids)


def write_plain(folder, file, to):
    """Writes the GGUF's weights as a plain model. transformers dequantizes them and still calls the model quantized, which
    its trainer refuses; and trainers load a reference model by its path."""
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config
    model = type(read)(read.config)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(to)


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--model", required=True)
    args.add_argument("--sets", required=True)
    args.add_argument("--ids", required=True)
    o = args.parse_args()
    folder, file = os.path.split(o.model)
    tokenizer = load_tokenizer(folder, file)
    sets = {name: load_dataset(os.path.join(o.sets, name))["train"] for name in ("sft", "dpo", "kto", "reward")}
    with open(o.ids) as f:
        compared = check_ids(tokenizer, sets["sft"], json.load(f))
    torch.manual_seed(1)

    plain = os.path.join(o.sets, "model")
    write_plain(folder, file, plain)
    tokenizer.save_pretrained(plain)

    def policy():
        return AutoModelForCausalLM.from_pretrained(plain, dtype=torch.float32)

    def reward():
        return AutoModelForSequenceClassification.from_pretrained(
            plain, num_labels=1, pad_token_id=tokenizer.pad_token_id, dtype=torch.float32
        )

    out = {"token_ids_compared": compared, "steps": STEPS, "losses": {}}
    for name, trainer, config, model in (
        ("sft", SFTTrainer, SFTConfig, policy),
        ("dpo", DPOTrainer, DPOConfig, policy),
        ("kto", KTOTrainer, KTOConfig, policy),
        ("reward", RewardTrainer, RewardConfig, reward),
    ):
        with tempfile.TemporaryDirectory() as work:
            settings = config(
                output_dir=work, max_steps=STEPS, per_device_train_batch_size=2, learning_rate=1e-5, logging_steps=1,
                report_to="none", save_strategy="no", use_cpu=True, bf16=False, max_length=512, disable_tqdm=True,
            )
            t = trainer(model=model(), args=settings, train_dataset=sets[name], processing_class=tokenizer)
            t.train()
            losses = [entry["loss"] for entry in t.state.log_history if "loss" in entry]
            assert len(losses) == STEPS and all(x == x for x in losses), (name, losses)
            out["losses"][name] = losses
    out["rows"] = {name: len(rows) for name, rows in sets.items()}
    out["versions"] = {p: importlib.metadata.version(p) for p in ("torch", "transformers", "trl", "datasets", "accelerate")}
    print(json.dumps(out, indent=2))


if __name__ == "__main__":
    main()
