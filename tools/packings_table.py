#!/usr/bin/env python3
"""Writes what jobs of 1 to 16,384 images take in each packing, from results/packings/*.json (tools/record_packings.sh made them):
two tables in docs/performance.md (between <!-- packings --> and <!-- /packings -->), one in README.md, and a picture a network
in docs/pictures/.

    tools/packings_table.py            writes pages and pictures
    tools/packings_table.py --check    exit code 1 where they are not what the files say
"""
import json
import math
import pathlib
import re
import statistics
import sys

sys.dont_write_bytecode = True
from blocks_table import machine_of
from pages import size, with_tables, write_or_check

ROOT = pathlib.Path(__file__).resolve().parent.parent
RECORDS = ROOT / "results" / "packings"
PICTURES = ROOT / "docs" / "pictures"
TRAINING = ROOT / "results" / "training" / "table"
# Name of the records, title, whether README.md has it.
NETWORKS = [("mnist-cryptonets", "MNIST, cryptonets", True), ("mnist-lenet5", "MNIST, lenet5", False),
            ("pneumonia-lenet5", "PneumoniaMNIST, lenet5", False), ("cifar10-scnn", "CIFAR-10, scnn", True)]
# What a line is called, its colour.
SERIES = [("single", "whole channels, one image a job", "#c8553d"), ("channels", "whole channels, as many as fit", "#d9a441"),
          ("batch", "one element a ciphertext", "#1b6ca8"), ("auto", "the planner's choice", "#3a7d44")]
CLAIM = 4096
PAPER_TIME, PAPER_POINTS = -99.5, 1.65


def load(name):
    path = RECORDS / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def duration(seconds):
    if seconds >= 36000:
        return f"{seconds / 3600:,.0f} h"
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    if seconds >= 99.5:
        return f"{seconds:,.0f} s"
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 0.9995:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


class Network:
    """The cells of a record by line and number of images; jobs of one image are the job of the cell of one, repeated."""

    def __init__(self, record):
        self.record, self.result = record["record"], record["result"]
        self.plans = self.result["plans"]
        self.cells = {(c["packing"], c["images"]): c for c in self.result["cells"]}
        self.skipped = {(s["packing"], s["images"]): s["reason"] for s in self.result["skipped"]}
        self.sizes = sorted({c["images"] for c in self.result["cells"]})
        one = self.cells.get(("channels", 1))
        if one:
            for images in self.sizes:
                seconds = one["seconds"] * images
                self.cells["single", images] = one | {"images": images, "jobs": images, "seconds": seconds,
                                                      "seconds_per_image": one["seconds"]}

    def cell(self, line, images):
        return self.cells.get((line, images))

    def plan(self, cell):
        return self.plans[cell["plan"]]


def text_of(cell):
    if cell is None:
        return "-"
    times = f" (x{cell['jobs']:,})" if cell["jobs"] > 1 else ""
    return f"{duration(cell['seconds'])}{times}; {duration(cell['seconds_per_image'])}"


def blocks_of(plan):
    return "one element a ciphertext" if plan["blocks"] == 1 else f"{plan['blocks']} blocks"


def times(net):
    lines = ["| images | " + " | ".join(title for _, title, _ in SERIES) + " | which is | of the best of the others |",
             "|" + "---|" * (len(SERIES) + 3)]
    for images in net.sizes:
        cells = [net.cell(line, images) for line, *_ in SERIES]
        chosen = cells[-1]
        others = [c["seconds"] for c in cells[:-1] if c]
        share = f"{chosen['seconds'] / min(others):.2f}" if chosen and others else "-"
        which = f"{blocks_of(net.plan(chosen))}, N = {net.plan(chosen)['ring_dimension']}" if chosen else "-"
        lines.append(f"| {images:,} | " + " | ".join(text_of(c) for c in cells) + f" | {which} | {share} |")
    return lines


def plans(net):
    lines = ["| blocks | N | images a job | asked for | a job | predicted / measured | memory, measured and planned "
             "| keys | inputs of a job | outputs | precision |", "|" + "---|" * 11]
    for number, p in sorted(enumerate(net.plans), key=lambda np: (-np[1]["blocks"], np[0])):
        if "seconds" not in p:
            continue
        users = {}
        for (line, images), c in net.cells.items():
            if line != "single" and c["plan"] == number:
                users.setdefault(line, []).append(f"{images:,}")
        asked = "; ".join(f"{line} {', '.join(of)}" for line, of in users.items())
        lines.append(f"| {p['blocks']} | {p['ring_dimension']} | {p['images_per_job']:,} | {asked} | {duration(p['seconds'])} "
                     f"| {p['predicted_seconds'] / p['seconds']:.2f} "
                     f"| {size(p['peak_bytes'])}, {size(p['planned_peak_bytes'])} | {size(p['key_bytes'])} "
                     f"| {size(p['input_bytes'])} | {size(p['output_bytes'])} | {p['precision_bits']:.1f} bits |")
    return lines


def skipped(net):
    by_reason = {}
    for (line, images), why in net.skipped.items():
        by_reason.setdefault((line, why), []).append(f"{images:,}")
    return [f"Not measured: {line} at {', '.join(of)} images: {why}" for (line, why), of in by_reason.items()]


def accuracy(row):
    found = [json.loads(p.read_text(encoding="utf-8"))["test"]["accuracy"] for p in sorted(TRAINING.glob(f"{row}-s*.json"))
             if re.fullmatch(r"\d+", p.stem[len(row) + 2:])]
    return 100 * statistics.mean(found), len(found)


def claims():
    lines = [f"| network | element-wise, {CLAIM:,} images, an image | channel-wise, one image a job, an image | difference (paper: "
             f"{PAPER_TIME} %) | accuracy, element-wise with distillation | channel-wise | difference (paper: +{PAPER_POINTS}) |",
             "|" + "---|" * 7]
    for name, title, _ in NETWORKS:
        element, channel = load(f"{name}-element-kd"), load(f"{name}-channel")
        if not element or not channel:
            continue
        fast = Network(element).cell("batch", CLAIM)
        slow = Network(channel).cell("single", CLAIM)
        if not fast or not slow:
            continue
        a, seeds = accuracy(f"{name}-element-kd")
        b, _ = accuracy(f"{name}-channel")
        lines.append(f"| {title} | {duration(fast['seconds_per_image'])} | {duration(slow['seconds_per_image'])} "
                     f"| {100 * (fast['seconds_per_image'] / slow['seconds_per_image'] - 1):.2f} % | {a:.2f} % | {b:.2f} % "
                     f"| {a - b:+.2f} (mean of {seeds} seeds) |")
    return lines


def measured():
    for name, title, in_readme in NETWORKS:
        record = load(f"{name}-element-kd")
        if record:
            yield name, title, in_readme, Network(record)


def machine(net):
    return machine_of(net.record).replace("2 threads", "one thread")


def note(net):
    r = net.result
    return (f"{machine(net)}, shared with other programs; kernels: {net.plans[0]['kernels']}; rates: the machine's own "
            "(`results/packings/rates.json`). A cell is the time of the batch and the time an image: processor time of a warm "
            "evaluation on one thread, the least of those that were timed, as other programs can only add to it. (xJ) marks what takes J jobs: one job was timed at "
            "least three times, and multiplied; cells with the same plan share its measurement. At most "
            f"{r['memory_limit']} of memory, 128 bits.")


def files(name):
    return "Files: " + ", ".join(f"`results/packings/{name}-{weights}.json`" for weights in ("element-kd", "channel")
                                 if load(f"{name}-{weights}")) + "."


def performance():
    lines, last = [], None
    for name, title, _, net in measured():
        last = net
        lines += [f"### {title}", "", f"![{title}](pictures/packings-{name}.svg)", "", *times(net), "", *plans(net), "", files(name), ""]
        lines += [line for s in skipped(net) for line in (s, "")]
    if not last:
        return "No records.\n"
    return "\n".join(["### BEAA's two claims", "", *claims(), "", *lines, note(last)]) + "\n"


def readme():
    lines, last = [], None
    for name, title, in_readme, net in measured():
        if in_readme:
            last = net
            lines += [f"{title}, an image at a batch of", "",
                      "| packing | " + " | ".join(f"{i:,}" for i in net.sizes) + " |", "|" + "---|" * (len(net.sizes) + 1)]
            for line, label, _ in SERIES:
                cells = [net.cell(line, i) for i in net.sizes]
                lines.append(f"| {label} | " + " | ".join(duration(c["seconds_per_image"]) if c else "-" for c in cells) + " |")
            lines += ["", f"![{title}](docs/pictures/packings-{name}.svg)", ""]
    if not last:
        return "No records.\n"
    return "\n".join(lines) + (f"\n{machine(last)}: absolute times are not those of the table above, "
                               "ratios are what counts. Batches of several jobs are multiplied from one; "
                               "[docs/performance.md](docs/performance.md) marks them. Files: `results/packings/`.\n")


def axis(decade):
    return f"{10 ** decade:,} s" if decade >= 0 else duration(10.0 ** decade)


def panel(net, value, title, left):
    """One plot, both axes logarithmic. A point that stands for several jobs is hollow."""
    width, height, right, top, bottom = 500, 340, 30, 40, 50
    inner = 75
    xs = [math.log(i) for i in net.sizes]
    found = [(label, colour, [(i, c) for i in net.sizes if (c := net.cell(line, i))]) for line, label, colour in SERIES]
    values = [c[value] for *_, points in found for _, c in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x_of(i):
        return left + inner + (width - inner - right) * (math.log(i) - xs[0]) / max(xs[-1] - xs[0], 1e-9)

    def y_of(v):
        return height - bottom - (height - top - bottom) * (math.log10(v) - low) / max(high - low, 1)

    out = [f'<text x="{left + inner}" y="22" font-size="15" fill="#222">{title}</text>']
    for decade in range(low, high + 1):
        y = y_of(10.0 ** decade)
        out.append(f'<path d="M{left + inner} {y:.1f}H{left + width - right}" stroke="#ddd"/>'
                   f'<text x="{left + inner - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{axis(decade)}</text>')
    for i in net.sizes:
        out.append(f'<path d="M{x_of(i):.1f} {top}V{height - bottom}" stroke="#eee"/>'
                   f'<text x="{x_of(i):.1f}" y="{height - bottom + 18}" text-anchor="middle" fill="#444">{i}</text>')
    out.append(f'<text x="{left + (inner + width - right) / 2}" y="{height - 10}" text-anchor="middle" fill="#222">images in the '
               'batch</text>')
    for _, colour, points in found:
        line = " ".join(f"{x_of(i):.1f},{y_of(c[value]):.1f}" for i, c in points)
        dashes = ' stroke-dasharray="6 4"' if colour == SERIES[-1][2] else ""
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        for i, c in points:
            fill = "#ffffff" if c["jobs"] > 1 else colour
            out.append(f'<circle cx="{x_of(i):.1f}" cy="{y_of(c[value]):.1f}" r="4" fill="{fill}" stroke="{colour}" '
                       'stroke-width="1.5"/>')
    return out


def picture(net, title):
    width, height = 1000, 375
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<title>{title}: time of a batch, and time an image, against the number of images, by packing</title>',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           *panel(net, "seconds", "Time of the batch", 0), *panel(net, "seconds_per_image", "Time an image", 500)]
    for k, (_, label, colour) in enumerate(SERIES):
        out.append(f'<text x="{75 + 225 * k}" y="{height - 10}" fill="{colour}">&#9679; {label}</text>')
    return "\n".join(out + ["</svg>", ""])


def main():
    files = {}
    for page, make in ((ROOT / "docs" / "performance.md", performance), (ROOT / "README.md", readme)):
        files[page] = with_tables(page.read_text(encoding="utf-8"), {"packings": make})
    for name, title, _, net in measured():
        files[PICTURES / f"packings-{name}.svg"] = picture(net, title)
    return write_or_check(files, "packings_table")


if __name__ == "__main__":
    sys.exit(main())
