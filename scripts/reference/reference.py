"""Writes what transformers and torch compute for given token ids from the weights of a GGUF.

    reference.py --model MODEL.gguf --ids IDS.json --out GOLDEN.json [--adapter ADAPTER]

scripts/reference/update and update-adapter call it; tests in engine/llama read what it writes. The
weights are dequantized to 32-bit floats and everything is computed in these. The token ids come from
amend, because transformers' own tokenizer for this GGUF splits some text differently. IDS.json is
[{"name": ..., "ids": [...]}, ...], or IDS.jsonl has such an object a line. For each text GOLDEN.json
has the natural log-probability of each token after those before it, to six digits, and the most
likely token after each.

Only models of GGUF architecture "llama" are taken: for these the script checks every weight and the
hyperparameters that transformers made of the file, so that a difference in the log-probabilities is
one of computation. With --adapter, the folder of a LoRA adapter, PEFT applies it to that model.
"""

import argparse
import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

import gguf
import numpy as np
import torch
from transformers import AutoModelForCausalLM

# Tensor names of the GGUF and of transformers.
OUTER = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def torch_name(name: str) -> str:
    if name in OUTER:
        return OUTER[name]
    blk, layer, part, kind = name.split(".")
    if blk != "blk":
        raise SystemExit(f"tensor {name}: not one of a llama model")
    return f"model.layers.{layer}.{LAYER[part]}.{kind}"


def halves(rows: np.ndarray, heads: int) -> np.ndarray:
    """A llama GGUF stores the rows of each query and key head so that the pairs that RoPE rotates
    are neighbours; transformers wants first all first and then all second members."""
    width = rows.shape[0] // heads
    return rows.reshape(heads, width // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def check_weights(reader: gguf.GGUFReader, state: dict[str, torch.Tensor], heads: int, heads_kv: int) -> int:
    """Compares every tensor of the GGUF with the one transformers made of it, to the last bit."""
    seen = set()
    for tensor in reader.tensors:
        want = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        part = tensor.name.split(".")[-2]
        if part in ("attn_q", "attn_k"):
            want = halves(want, heads if part == "attn_q" else heads_kv)
        name = torch_name(tensor.name)
        got = state[name].numpy()
        if got.shape != want.shape or not np.array_equal(got, want):
            raise SystemExit(f"tensor {tensor.name} ({tensor.tensor_type.name}) is not transformers' {name}")
        seen.add(name)
    for name in state.keys() - seen:
        if name != "lm_head.weight" or state[name].data_ptr() != state["model.embed_tokens.weight"].data_ptr():
            raise SystemExit(f"transformers has {name}, which is not in the GGUF")
    return len(seen)


def check_config(reader: gguf.GGUFReader, config) -> None:
    """Compares the hyperparameters of the GGUF with those transformers made of them."""
    rope = getattr(config, "rope_theta", None) or config.rope_parameters["rope_theta"]
    for key, got in {
        "general.architecture": config.model_type,
        "llama.block_count": config.num_hidden_layers,
        "llama.embedding_length": config.hidden_size,
        "llama.feed_forward_length": config.intermediate_size,
        "llama.attention.head_count": config.num_attention_heads,
        "llama.attention.head_count_kv": config.num_key_value_heads,
        "llama.attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "llama.rope.freq_base": rope,
        "llama.vocab_size": config.vocab_size,
    }.items():
        want = reader.fields[key].contents()
        # Floats are stored in 32 bits.
        if got != want and not (isinstance(want, float) and np.float32(got) == np.float32(want)):
            raise SystemExit(f"{key} is {want}, and transformers took {got}")


@torch.inference_mode()
def score(model, ids: list[int]) -> dict:
    if not ids or min(ids) < 0 or max(ids) >= model.config.vocab_size:
        raise SystemExit(f"ids {ids}: none, or outside the vocabulary of {model.config.vocab_size}")
    if len(ids) > model.config.max_position_embeddings:
        raise SystemExit(f"{len(ids)} ids: the model takes {model.config.max_position_embeddings}")
    logits = model(input_ids=torch.tensor([ids])).logits[0]
    # The sum over the vocabulary in 64 bits: the golden file should not add an error of its own.
    log_probs = torch.log_softmax(logits.double(), dim=-1)
    following = log_probs[:-1].gather(1, torch.tensor(ids[1:]).unsqueeze(1)).squeeze(1)
    return {
        "ids": ids,
        "log_probs": [round(x, 6) for x in following.tolist()],
        "best": logits.argmax(dim=-1).tolist(),
    }


def read_texts(path: Path) -> list[dict]:
    """Texts without a name get their place as one."""
    with path.open(encoding="utf-8") as f:
        rows = [json.loads(line) for line in f] if path.suffix == ".jsonl" else json.load(f)
    return [{"name": r.get("name", f"text {i + 1}"), "ids": r["ids"]} for i, r in enumerate(rows)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--adapter", type=Path, help="the folder of a LoRA adapter")
    args = parser.parse_args()

    reader = gguf.GGUFReader(args.model)
    # Eager attention is the plain formula: softmax(QKᵀ/√d + mask)·V.
    model = AutoModelForCausalLM.from_pretrained(
        args.model.parent, gguf_file=args.model.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    check_config(reader, model.config)
    count = check_weights(
        reader, model.state_dict(), model.config.num_attention_heads, model.config.num_key_value_heads
    )
    print(f"{count} tensors are what the GGUF holds")

    packages = ["torch", "transformers", "gguf", "numpy"]
    if args.adapter:
        from peft import PeftModel  # which the reference of a bare model does without

        packages.append("peft")
        model = PeftModel.from_pretrained(model, args.adapter).eval()

    texts = [{"name": t["name"], **score(model, t["ids"])} for t in read_texts(args.ids)]
    made_by = {name: importlib.metadata.version(name) for name in packages}
    golden = {
        "model": args.model.name,
        "sha256": hashlib.sha256(args.model.read_bytes()).hexdigest(),
        "made_by": {"python": platform.python_version(), **made_by},
    }
    # A text a line, so that a change can be read.
    head = json.dumps(golden, indent=1)[:-2]
    lines = ",\n".join(json.dumps(t, ensure_ascii=False, separators=(",", ":")) for t in texts)
    args.out.write_text(f'{head},\n "texts": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{args.out}: {len(texts)} texts, {sum(len(t['ids']) for t in texts)} tokens")


if __name__ == "__main__":
    main()
