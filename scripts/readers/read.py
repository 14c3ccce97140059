"""Reads a training set as users do and prints what it finds as one JSON object.

datasets loads the folder by its card, pyarrow and duckdb read the files. Every reader's rows are printed as
JSON texts, so that a test can compare them with those that were written.
"""

import argparse
import glob
import json
import os
import tempfile


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("folder")
    folder = args.parse_args().folder
    out = {"datasets": by_datasets(folder), "duckdb": by_duckdb(folder)}
    if files(folder, "parquet"):
        out["pyarrow"] = by_pyarrow(folder)
    print(json.dumps(out))


def files(folder, extension, split="*"):
    return sorted(glob.glob(os.path.join(folder, "data", f"{split}-*.{extension}")))


def lines(rows):
    return [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows]


def by_datasets(folder):
    """What load_dataset makes of the folder alone: rows by split, and the columns' types."""
    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as cache:
        loaded = load_dataset(folder, cache_dir=cache)
        return {
            "rows": {split: lines(rows) for split, rows in loaded.items()},
            "features": {split: str(rows.features) for split, rows in loaded.items()},
        }


def by_pyarrow(folder):
    """Rows by split; row groups of all files, and how columns are compressed."""
    import pyarrow.parquet as pq

    rows, groups, compression = {}, 0, set()
    for path in files(folder, "parquet"):
        file = pq.ParquetFile(path)
        groups += file.num_row_groups
        for g in range(file.num_row_groups):
            for c in range(file.metadata.num_columns):
                compression.add(file.metadata.row_group(g).column(c).compression)
        split = os.path.basename(path).split("-")[0]
        rows.setdefault(split, []).extend(lines(file.read().to_pylist()))
    return {"rows": rows, "row_groups": groups, "compression": sorted(compression)}


def by_duckdb(folder):
    """Rows by split."""
    import duckdb

    rows = {}
    for extension, read in (("parquet", "read_parquet"), ("jsonl", "read_json")):
        for split in ("train", "test"):
            paths = files(folder, extension, split)
            if paths:
                table = duckdb.sql(f"select * from {read}(?)", params=[paths])
                rows[split] = lines(dict(zip(table.columns, row)) for row in table.fetchall())
    return {"rows": rows}


if __name__ == "__main__":
    main()
