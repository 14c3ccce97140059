"""Measures a GGUF model with lm-evaluation-harness and transformers on the items that amend eval has measured it on, and
compares figures and log-probabilities by item. The rows are made here from the published files, not from amend's."""

import argparse
import gzip
import json
import os
import sys

import numpy
import torch
from lm_eval import simple_evaluate
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))


def lines(path):
    with (gzip.open if path.endswith(".gz") else open)(path, "rt") as f:
        return [json.loads(line) for line in f if line.strip()]


def hhh_rows(path):
    mark = "\n\nAssistant:"
    for row in lines(path):
        right, wrong = row["text_correct"], row["text_incorrect"]
        at = right.rindex(mark) + len(mark)
        assert wrong.startswith(right[:at])
        yield {"context": right[:at], "choices": [right[at:].strip(), wrong[at:].strip()]}


def truthfulqa_rows(path):
    for row in lines(path):
        right, wrong = row["correct_answers"], row["incorrect_answers"]
        yield {
            "context": "Q: " + row["question"].strip() + "\nA:",
            "mc1": [row["best_answer"]] + wrong,
            "mc2": right + wrong,
            "right": len(right),
        }


def write(name, rows, limit):
    with open(name, "w") as f:
        for i, row in enumerate(rows):
            if limit and i == limit:
                break
            f.write(json.dumps(row) + "\n")


def logprobs(sample):
    return [float(r[0][0] if isinstance(r[0], (list, tuple)) else r[0]) for r in sample["resps"]]


def compare(name, samples, items, figures, theirs):
    """Prints both figures, and how far log-probabilities are apart by option and by token."""
    by_option, by_token = [], []
    for sample, item in zip(sorted(samples, key=lambda s: s["doc_id"]), items, strict=True):
        options = item["options"]
        if name == "mc1":
            order = [i for i, o in enumerate(options) if o.get("best")] + [i for i, o in enumerate(options) if not o["right"]]
        else:
            order = range(len(options))
        ours = [item["result"]["logprobs"][i] for i in order]
        tokens = [item["result"]["tokens"][i] for i in order]
        for a, b, n in zip(ours, logprobs(sample), tokens, strict=True):
            by_option.append(abs(a - b))
            by_token.append(abs(a - b) / n)
    option, token = numpy.array(by_option), numpy.array(by_token)
    print(f"{name}: {len(items)} items, {len(option)} options")
    for metric, value in theirs.items():
        print(f"  {metric}: amend {figures[metric]:.4f}, lm-evaluation-harness {value:.4f}")
    print(f"  log-probabilities differ by option: median {numpy.median(option):.4f}, 99 % {numpy.quantile(option, 0.99):.4f}, most {option.max():.4f} nats")
    print(f"  by token: median {numpy.median(token):.5f}, most {token.max():.5f} nats")
    return token.max()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True, help="GGUF")
    p.add_argument("--hhh", required=True)
    p.add_argument("--truthfulqa", required=True)
    p.add_argument("--amend", required=True, help="folder with amend's hhh and truthfulqa")
    p.add_argument("--limit", type=int, default=0)
    p.add_argument("--tolerance", type=float, required=True, help="nats by token")
    a = p.parse_args()
    torch.set_num_threads(os.cpu_count())
    write("hhh.jsonl", hhh_rows(a.hhh), a.limit)
    write("truthfulqa.jsonl", truthfulqa_rows(a.truthfulqa), a.limit)
    folder, file = os.path.split(os.path.abspath(a.model))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1, device="cpu")
    out = simple_evaluate(
        lm, tasks=["amend_hhh", "amend_mc1", "amend_mc2"], task_manager=TaskManager(include_path=os.path.join(HERE, "tasks")), bootstrap_iters=0, log_samples=True
    )
    worst = 0
    for name, task, folder, metrics in [
        ("hhh", "amend_hhh", "hhh", {"acc": "acc,none", "acc_norm": "acc_norm,none"}),
        ("mc1", "amend_mc1", "truthfulqa", {"mc1": "acc,none"}),
        ("mc2", "amend_mc2", "truthfulqa", {"mc2": "acc,none"}),
    ]:
        with open(os.path.join(a.amend, folder, "results.json")) as f:
            figures = {k: v["share"] for k, v in json.load(f)["results"].items()}
        items = lines(os.path.join(a.amend, folder, "items.jsonl"))
        theirs = {m: out["results"][task][key] for m, key in metrics.items()}
        worst = max(worst, compare(name, out["samples"][task], items, figures, theirs))
        for m, value in theirs.items():
            if abs(value - figures[m]) > 0.5 / len(items):
                sys.exit(f"{m} differs")
    if worst > a.tolerance:
        sys.exit(f"a log-probability differs by {worst:.5f} nats by token, and {a.tolerance} is tolerated")


if __name__ == "__main__":
    main()
