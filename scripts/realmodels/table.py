"""Prints the table of scripts/real-models: one row for each run in a folder, as amend eval RUN --json described it."""

import glob
import json
import os
import sys


def share(s):
    return f"{100 * s['share']:.1f} ({100 * s['low']:.1f}–{100 * s['high']:.1f})"


def main(out, part):
    print("| run | rows | unchanged | refuse, first | refuse, last | wins | wins, neither refuses | always declines | first sentence | machine minutes |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for path in sorted(glob.glob(os.path.join(out, f"*-{part}-*.json"))):
        with open(path) as f:
            rows = {r["name"]: r for r in json.load(f)["answers"]}
        with open(path.removesuffix(".json") + ".seconds") as f:
            minutes = sum(int(line) for line in f) / 60
        first = rows["first responses"]
        rounds = [r for name, r in rows.items() if name.startswith("round ")]
        last = rounds[-1]
        baselines = [share(r["wins"][0]["all"]) for name, r in rows.items() if r is not first and r not in rounds]
        win = last["wins"][0]
        print(
            f"| {os.path.basename(path).removesuffix('.json')} | {last['cases']} | {last['unchanged']} | {share(first['refusals'])} | {share(last['refusals'])} "
            f"| {share(win['all'])} | {share(win['no_refusals'])} | {' | '.join(baselines)} | {minutes:.0f} |"
        )


main(*sys.argv[1:])
