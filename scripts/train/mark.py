#!/usr/bin/env python3
"""Writes into an adapter's GGUF which model it was trained on, by the hash of that model's file: amend run --lora compares.

    mark.py IN.gguf BASE.json OUT.gguf
"""

import json
import sys

import gguf

KEY = "amend.base.sha256"


def main():
    source, base, out = sys.argv[1:]
    reader = gguf.GGUFReader(source)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(out, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue  # the writer's own
        kind = field.types[0]
        sub = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, sub_type=sub)
    with open(base, encoding="utf-8") as f:
        writer.add_string(KEY, json.load(f)["sha256"])
    for t in reader.tensors:
        writer.add_tensor(t.name, t.data, raw_shape=t.data.shape, raw_dtype=t.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
