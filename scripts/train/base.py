"""A GGUF as transformers reads it: weights, and a tokenizer that only pads."""

import hashlib
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
