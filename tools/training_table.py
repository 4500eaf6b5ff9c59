#!/usr/bin/env python3
"""Writes the tables of docs/results-training.md from results/training/table/*.json (tools/train_table.sh made them).

Every table stands between <!-- table: PREFIX --> and <!-- /table -->: a line a row whose name begins with PREFIX, with
mean and deviation (over n - 1) over the seeds.

  tools/training_table.py            rewrites the page
  tools/training_table.py --check    exit code 1 where the page is not what the files say
"""
import json
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results-training.md"
TABLE = ROOT / "results" / "training" / "table"
ORDER = ["relu", "square", "layer", "channel", "element", "element-kd", "direct", "transition", "transition-kd",
         "channel-best", "element-best", "best"]


def runs_of(row):
    found = []
    for path in sorted(TABLE.glob(f"{row}-s*.json")):
        if re.fullmatch(r"\d+", path.stem[len(row) + 2:]):
            found.append(json.loads(path.read_text()))
    return found


def spread(values, factor=1.0, digits=2):
    values = [factor * v for v in values if v is not None]
    if not values:
        return "-"
    text = f"{statistics.mean(values):.{digits}f}"
    return text + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def line(variant, runs):
    test = [r["test"] for r in runs]
    seconds = statistics.mean(r["seconds"] for r in runs)
    epochs = statistics.mean(len(r["history"]) for r in runs)
    return (f"| {variant} | {spread([t['accuracy'] for t in test], 100)} | {spread([t['macro_f1'] for t in test], 100)} "
            f"| {spread([t.get('auc') for t in test], 100)} | {len(runs)} | {epochs:.0f} | {seconds / epochs:.1f} |")


def table(prefix):
    names = {re.sub(r"-s\d+$", "", p.stem) for p in TABLE.glob(f"{prefix}-*.json")}
    variants = sorted((n[len(prefix) + 1:] for n in names), key=lambda v: (ORDER.index(v) if v in ORDER else 99, v))
    lines = ["| row | accuracy, % | macro F1, % | AUC, % | seeds | epochs | seconds an epoch |", "|---|---|---|---|---|---|---|"]
    lines += [line(v, runs_of(f"{prefix}-{v}")) for v in variants]
    return "\n".join(lines) if variants else "Not trained yet."


def filled(text):
    return re.sub(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)",
                  lambda m: f"{m[1]}{table(m[2])}\n{m[3]}", text, flags=re.S)


def main():
    before = PAGE.read_text()
    after = filled(before)
    if "--check" in sys.argv[1:]:
        sys.exit(0 if before == after else f"{PAGE.name}: not what results/training/table says; run {sys.argv[0]}")
    PAGE.write_text(after)


if __name__ == "__main__":
    main()
