"""Writes the model as a GGUF that llama.cpp loads."""

import json

import gguf
import numpy as np

from data import END, ROLES

# The last norm is scaled by this: sampling at temperature 1 is then what sampling at 1 / SHARPEN was in training. A model
# as small leaves a thousandth of each token's probability to tokens that cannot follow, and a response has forty.
SHARPEN = 1.5


def write_gguf(path, model, tokenizer, template):
    s = model.shape
    w = gguf.GGUFWriter(str(path), "llama")
    w.add_name("amend testbed")
    w.add_description("A test bench for alignment pipelines: a model of a synthetic world whose truth is known.")
    w.add_license("MIT")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    w.add_vocab_size(s.vocab)
    w.add_context_length(s.context)
    w.add_embedding_length(s.width)
    w.add_block_count(s.layers)
    w.add_feed_forward_length(s.hidden)
    w.add_head_count(s.heads)
    w.add_head_count_kv(s.heads)
    w.add_rope_dimension_count(s.width // s.heads)
    w.add_rope_freq_base(s.rope_base)
    w.add_layer_norm_rms_eps(s.eps)
    add_tokenizer(w, tokenizer, template)
    for name, tensor in tensors(model):
        data = tensor.detach().numpy().astype(np.float32)
        if data.ndim == 1:
            w.add_tensor(name, data)
        else:
            w.add_tensor(name, gguf.quantize(data, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def add_tokenizer(w, tokenizer, template):
    vocab = sorted(tokenizer.get_vocab(with_added_tokens=True).items(), key=lambda kv: kv[1])
    control = {*ROLES.values(), END}
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([t for t, _ in vocab])
    w.add_token_types([gguf.TokenType.CONTROL if t in control else gguf.TokenType.NORMAL for t, _ in vocab])
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
    w.add_eos_token_id(tokenizer.token_to_id(END))
    w.add_add_bos_token(False)
    w.add_chat_template(template)


def tensors(model):
    """Tensors under the names that llama.cpp has for them."""
    yield "token_embd.weight", model.embed.weight
    yield "output_norm.weight", SHARPEN * model.norm.weight
    for i, layer in enumerate(model.layers):
        q, k, v = layer.qkv.weight.chunk(3)
        gate, up = layer.gate_up.weight.chunk(2)
        for name, tensor in {
            "attn_norm": layer.attn_norm.weight,
            "attn_q": q,
            "attn_k": k,
            "attn_v": v,
            "attn_output": layer.out.weight,
            "ffn_norm": layer.ffn_norm.weight,
            "ffn_gate": gate,
            "ffn_up": up,
            "ffn_down": layer.down.weight,
        }.items():
            yield f"blk.{i}.{name}.weight", tensor
