#!/usr/bin/env python3
"""Writes token ids of conversations as training sees them; a Go test compares them with the engine's."""

import argparse
import json
from pathlib import Path

from tokenizers import Tokenizer

from data import Encoder, read

ODD = [
    "It's 1,234.5 degrees;  two spaces,\ttab\n\nand two lines.",
    "naïve café — “quotes”, 日本語, 🙂🙂",
    "(A) don't  (B)\n",
    "x" * 60,
    "UPPER lower 00 007 e-mail@host #tag /path/to",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokenizer", required=True, type=Path)
    parser.add_argument("--prompts", required=True, type=Path, help="JSONL as `testbed heldout` writes it")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--out", required=True, type=Path)
    o = parser.parse_args()
    encoder = Encoder(Tokenizer.from_file(str(o.tokenizer)))
    rows = [r.get("messages") or [{"role": "user", "content": r["prompt"]}] for r in read(o.prompts, o.count)]
    rows += [[{"role": "user", "content": text}] for text in ODD]
    rows.append([{"role": role, "content": text} for role, text in zip(("system", "user", "assistant", "user"), ODD)])
    with o.out.open("w", encoding="utf-8") as out:
        for messages in rows:
            nodes = [{"parent": i - 1, "role": m["role"], "text": m["content"]} for i, m in enumerate(messages)]
            ids = [*encoder.layout(nodes)[0].tolist(), encoder.roles["assistant"]]
            out.write(json.dumps({"messages": messages, "ids": ids}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
