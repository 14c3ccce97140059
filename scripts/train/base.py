"""A GGUF as transformers reads it: weights, and a tokenizer that only pads. And an adapter of it as convert takes it."""

import hashlib
import json
import os

import torch
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def load(path):
    """The model of a GGUF in full precision. transformers dequantizes its weights and still calls it quantized, which
    trainers refuse: so they are moved into a plain model."""
    folder, file = os.path.split(os.path.abspath(path))
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config
    read.config.name_or_path = ""  # or PEFT writes this machine's folder into adapters, and convert into their GGUF
    model = type(read)(read.config)
    model.load_state_dict(read.state_dict())
    model.config.architectures = [type(model).__name__]  # for convert_lora_to_gguf.py
    return model


def padder(model):
    """A tokenizer for trainers, which want one to know with what to pad. Texts never pass through it: rows are ids."""
    end = model.config.eos_token_id or 0
    vocab = {f"<{i}>": i for i in range(model.config.vocab_size)}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=f"<{end}>"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=f"<{end}>", pad_token=f"<{end}>", unk_token=f"<{end}>")


def save(model, source, out):
    """Writes a PEFT model's adapter, and what convert asks about the GGUF that it is for."""
    model.save_pretrained(out, selected_adapters=["default"])
    with open(os.path.join(out, "base.json"), "w", encoding="utf-8") as f:
        json.dump({"sha256": sha256(source)}, f)
    model.get_base_model().config.save_pretrained(os.path.join(out, "base"))
