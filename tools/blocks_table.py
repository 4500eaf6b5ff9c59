#!/usr/bin/env python3
"""Writes two tables in docs/performance.md: that of packings from results/blocks/ (tools/record_blocks.sh makes those files), and
that of large networks from results/networks/ (tools/record_networks.sh).

    tools/blocks_table.py            writes the tables between their marks
    tools/blocks_table.py --check    exits with 1 where the page differs from the records
"""
import json
import pathlib
import re
import sys

sys.dont_write_bytecode = True
from pages import size, with_tables, write_or_check

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"


def row(path):
    name = re.fullmatch(r"(\w+)-(\d+)-(\w+)", path.stem)
    record = json.loads(path.read_text(encoding="utf-8"))
    r = record["result"]
    images, places = int(name[2]), int(r["images_per_batch"])
    batches = -(-images // places)
    warm, cold = r["median_seconds"] * batches, r["first_seconds"] * batches
    mark = "" if batches == 1 else f" ({batches} batches, one measured)"
    cells = [name[1], f"{images:,}", name[3], str(r["ring_dimension"] // places), str(r["ring_dimension"]), f"{places:,}",
             f"{cold:.3f} s", f"{warm:.3f} s{mark}", f"{1e3 * warm / images:.4g} ms",
             size(r["input_bytes_per_image"] * places * batches), size(r["evaluation_peak_bytes"]),
             f"{r['predicted_over_measured']:.2f}"]
    return (name[1], images, name[3]), "| " + " | ".join(cells) + " |", record["record"]


def machine_of(record):
    m = record["machine"]
    return f"{m['cpu']}, {m['cores']} cores ({', '.join(m['instructions'])}), 2 threads"


def packings():
    rows = sorted(row(p) for p in (ROOT / "results" / "blocks").glob("*.json"))
    if not rows:
        return "No records.\n"
    lines = ["| network | images | packing | blocks | N | images a batch | first run | warm | warm, an image | inputs of the job "
             "| peak memory | predicted / measured |", "|" + "---|" * 12]
    lines += [text for _, text, _ in rows]
    lines += ["", f"{machine_of(rows[0][2])}. Times are of the "
              "evaluation; `first run` touches fresh memory, `warm` is the median of further runs. Files: `results/blocks/`."]
    return "\n".join(lines) + "\n"


def network(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    r = record["result"]
    p, s = r["params"], r["seconds"]
    cells = [path.stem, f"{r['images']:,}", str(p["ring_dimension"]), str(r["slots"] // r["images_per_batch"]), str(r["batches"]),
             f"{100 * r['accuracy_clear']:.2f} %", f"{100 * r['accuracy_encrypted']:.2f} %", f"{100 * r['macro_f1_encrypted']:.2f} %" if "macro_f1_encrypted" in r else "", f"{100 * r['agreement']:.2f} %",
             f"{r['precision_bits']:.1f} bits", f"{s['evaluate']:.0f} s ({r['predicted_seconds']:.0f} s)", f"{1e3 * s['evaluate'] / r['images']:.0f} ms",
             f"{size(r['evaluate_peak_rss_bytes'])} ({size(r['planned_peak_bytes'])})", size(r["bytes"]["eval_keys"])]
    return "| " + " | ".join(cells) + " |", record["record"]


def networks():
    rows = [network(p) for p in sorted((ROOT / "results" / "networks").glob("*.json"))]
    if not rows:
        return "No records.\n"
    lines = ["| row | images | N | blocks | batches | accuracy, clear | encrypted | macro F1, encrypted | agreement | precision | evaluation (predicted) "
             "| an image | peak memory (planned) | keys |", "|" + "---|" * 14]
    lines += [text for text, _ in rows]
    machines = " and ".join(sorted({machine_of(record) for _, record in rows}))
    lines += ["", f"{machines}, 128 bits of security. The first run in a fresh process. Files: `results/networks/`."]
    return "\n".join(lines) + "\n"


TABLES = {"blocks": packings, "papers": networks}


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: with_tables(PAGE.read_text(encoding="utf-8"), TABLES)}, "blocks_table"))
