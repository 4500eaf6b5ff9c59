#!/usr/bin/env python3
"""Writes the table of measured results in README.md from the files under results/ (tools/record_inference.sh makes
them). With --check it changes nothing and fails where the table is not that of the files."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
START, END = "<!-- results -->\n", "<!-- /results -->\n"
# File of a `velum run`, the `velum bench network` of the same model where there is one, what the row is called.
RUNS = [("digits", "digits-bench", "built-in digits, 2 activations"),
        ("mnist", "mnist-bench", "MNIST, 2 activations"),
        ("pneumonia", "pneumonia-bench", "PneumoniaMNIST"),
        ("pneumonia-train-split", None, "PneumoniaMNIST, training images"),
        ("pneumonia-full-batch", None, "PneumoniaMNIST, a full batch: all splits, repeated"),
        ("cifar10", "cifar10-bench", "CIFAR-10, scnn, 5 activations")]


def load(name):
    path = ROOT / "results" / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def percent(share):
    return "" if share is None else f"{100 * share:.2f} %"


def size(count):
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def row(title, run, bench):
    r, params = run["result"], run["result"]["params"]
    warm = f"{bench['result']['amortized_ms']:.3g} ms ({bench['result']['images']:,})" if bench else ""
    capacity = r.get("batches", 1) * r.get("images_per_batch", r["slots"])
    return (f"| {title} | {r['images']:,} | {percent(r['accuracy_clear'])} | {percent(r['accuracy_encrypted'])} "
            f"| {percent(r['agreement'])} | {params['ring_dimension']} | {params['log2_qp']:.0f} "
            f"| {r['amortized_ms']:.3g} ms ({r['images']:,}) | {warm} | {r['bytes']['input'] / capacity / 1e3:.1f} kB "
            f"| {r['bytes']['output'] / capacity:.0f} B | {size(r['peak_rss_bytes'])} | {r['precision_bits']:.1f} |")


def table():
    lines, machine = [], None
    for name, bench_name, title in RUNS:
        run = load(name)
        if run:
            lines.append(row(title, run, load(bench_name) if bench_name else None))
            machine = run["record"]["machine"], run["result"]["threads"]
    if not lines:
        return ""
    text = ("| network and images | images | accuracy, clear | encrypted | agreement | N | log2(QP) "
            "| evaluation an image, cold (images) | warm (images) | input an image | output an image | peak memory | precision, bits |\n"
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n\n")
    text += (f"128 bits of security, {machine[1]} threads, {machine[0]['cpu']} "
             f"({', '.join(machine[0]['instructions'])}). Sizes are for a full batch. Times are evaluation alone, over the images "
             "in brackets: cold is one run in a fresh process, which also touches its memory for the first time (`velum run`); "
             "warm is the median of repeated runs in one (`velum bench network`).\n")
    kernels = load("kernels")
    if kernels and "variants" in kernels["result"]:
        k = kernels["result"]
        best = max(k["variants"], key=lambda v: v["digit_multiply_adds_per_second"])
        text += (f"The digit matrix product ({best['name']}, {k['terms']} terms) does "
                 f"{best['digit_multiply_adds_per_second'] / 1e9:.1f} G multiply-adds a second on one core, "
                 f"{k['ratio_to_compiled_per_term']:.0f} times one modular product a term in plain C++ compiled for the "
                 f"machine, and {k['ratio_to_kernel_per_term']:.0f} times our own AVX-512 kernel for that.\n")
    return text + "\nEvery figure comes from `results/`, where each file names the command, commit and machine.\n"


def main():
    readme = ROOT / "README.md"
    text = readme.read_text()
    before, rest = text.split(START)
    new = before + START + table() + END + rest.split(END)[1]
    if sys.argv[1:] == ["--check"]:
        print("results_table: README.md is", "up to date" if new == text else "behind results/; run tools/results_table.py")
        return 0 if new == text else 1
    readme.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
