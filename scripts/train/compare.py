#!/usr/bin/env python3
"""Compares the log-probabilities that amend gave its own responses with those of transformers and PEFT.

    amend run --lora A.gguf --revisions 0 --demonstrations none --logprobs … --out RUN
    amend show RUN --json > run.json
    amend model tokens M.gguf RUN/revisions.jsonl > ids.jsonl
    compare.py --model M.gguf --adapter A --run run.json --tokens ids.jsonl

A run keeps the sum of an answer's log-probabilities, not each token's, so sums are compared: "apart" is the mean size of a sum's
difference for each token, "apart_row" for each answer. Within an answer, differences of one sign cancel those of the other: what
rounding does to a single token is larger than "apart", by about the root of an answer's length where signs are random. Each token
is compared in TestReferenceAdapter (engine/llama), with an adapter of the testbed model.

Prints by how much the two differ, and by how much amend differs from the model without the adapter. Fails where "apart" is above
--most or not far below the latter. Without --adapter, and of a run without --lora, it says how far the two are apart of the model
alone: that much is due to quantized weights and rounded activations.
"""

import argparse
import json

import torch
from peft import PeftModel

import base


def log_probs(model, row):
    ids = torch.tensor([row["prompt_ids"] + row["completion_ids"]])
    n = len(row["completion_ids"])
    with torch.no_grad():
        logits = model(ids).logits[0, -n - 1 : -1]
    chosen = torch.log_softmax(logits.double(), -1).gather(1, ids[0, -n:, None])
    return chosen.sum().item()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True)
    p.add_argument("--adapter")
    p.add_argument("--run", required=True)
    p.add_argument("--tokens", required=True)
    p.add_argument("--most", type=float, default=0.02, help="limit of apart, in nats a token")
    o = p.parse_args()
    with open(o.run, encoding="utf-8") as f:
        said = {r["id"]: r["turns"][0] for r in json.load(f)["rows"]}
    with open(o.tokens, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    # What amend cut off, at the limit or as white space, is not in the text: such rows cannot be compared.
    rows = [r for r in rows if said[r["id"]]["end"] == "end" and said[r["id"]]["decoded_tokens"] == len(r["completion_ids"])]
    tokens = sum(len(r["completion_ids"]) for r in rows)
    assert tokens > 0, "no row can be compared"
    bare = base.load(o.model).eval()
    without = [log_probs(bare, r) for r in rows]
    amend = [said[r["id"]]["logprob"] for r in rows]

    def apart(other):
        return sum(abs(a - b) for a, b in zip(amend, other)) / tokens

    out = {"rows": len(rows), "tokens": tokens, "apart": apart(without)}
    if o.adapter:
        adapted = PeftModel.from_pretrained(bare, o.adapter).eval()
        out["apart_without_adapter"], out["apart"] = out["apart"], apart([log_probs(adapted, r) for r in rows])
    out["apart_row"] = out["apart"] * tokens / len(rows)
    print(json.dumps(out))
    assert out["apart"] <= o.most, (
        f"sums of amend and transformers are {out['apart']} apart for each token, above --most {o.most}, which is the limit for rounding"
    )
    assert not o.adapter or out["apart"] * 5 < out["apart_without_adapter"], "the adapter changes too little to tell whether amend uses it"


if __name__ == "__main__":
    main()
