#!/usr/bin/env python3
"""Writes the tables of docs/fhe-benchmarking.md from results/fhe-benchmarking/ (tools/record_fhe_benchmarking.sh makes those files).

    tools/fhe_table.py            writes the tables between their marks
    tools/fhe_table.py --check    exits with 1 where the page differs from the records
"""
import json
import pathlib
import statistics
import sys

sys.dont_write_bytecode = True
from pages import size, with_tables, write_or_check

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "fhe-benchmarking.md"
SIZES, VARIANTS = ("single", "small", "medium", "large"), ("fast", "accurate")
NAMES = {"fast": "one square", "accurate": "two squares"}


def records():
    for variant in VARIANTS:
        for name in SIZES:
            path = ROOT / "results" / "fhe-benchmarking" / f"{variant}-{name}.json"
            if path.exists():
                yield variant, json.loads(path.read_text(encoding="utf-8"))


def middle(seconds):
    return f"{statistics.median(seconds):.3f}"


def right(result):
    if result["accuracy"] is None:
        return f"{result['passes']} of {result['runs']} right"
    return f"{100 * result['accuracy']:.2f} %"


def machine_of(record):
    m = record["machine"]
    return f"{m['cpu']}, {m['cores']} cores ({', '.join(m['instructions'])})"


def board():
    lines = ["| network | images | compute, s: three runs | processor, s | key generation | plan | encryption | decryption | input "
             "| result | keys | accuracy |", "|" + "---|" * 12]
    found = list(records())
    for variant, record in found:
        r = record["result"]
        s, b = r["seconds"], r["bytes"]
        cells = [NAMES[variant], f"{r['images']:,}", ", ".join(f"{x:.3f}" for x in s["compute"]),
                 middle([c["user"] + c["system"] for c in r["compute_again"]]), middle(s["key_generation"]),
                 middle(s["model"]), middle(s["encryption"]), middle(s["decryption"]), size(b["input"]), size(b["result"]),
                 size(b["public_keys"]), right(r)]
        lines.append("| " + " | ".join(cells) + " |")
    if not found:
        return "No records.\n"
    lines += ["", f"Seconds as the harness takes them, one process a step, median of three where one is given; `processor` is the time on both "
              f"cores together that the compute step took when called again. {machine_of(found[0][1]['record'])}, shared with other work "
              "while this was recorded. Files: `results/fhe-benchmarking/`."]
    return "\n".join(lines) + "\n"


def where():
    lines = ["| network | images | wall, s | user | system | page faults |", "|" + "---|" * 6]
    found = list(records())
    for variant, record in found:
        r = record["result"]
        best = min(r["compute_again"], key=lambda c: c["wall"])
        lines.append(f"| {NAMES[variant]} | {r['images']:,} | {best['wall']:.3f} | {best['user']:.3f} | {best['system']:.3f} | "
                     f"{best['page_faults']:,} |")
    return "\n".join(lines) + "\n" if found else "No records.\n"


TABLES = {"board": board, "where": where}


if __name__ == "__main__":
    sys.exit(write_or_check({PAGE: with_tables(PAGE.read_text(encoding="utf-8"), TABLES)}, "fhe_table"))
