#!/usr/bin/env python3
"""Writes the tables and pictures of docs/performance.md from results/bench/*.json (tools/record_bench.sh made them).

A table stands between <!-- networks -->, <!-- curves --> or <!-- kernels --> and the same with a slash; pictures go to
docs/pictures/.

  tools/bench_table.py            rewrites the page and the pictures
  tools/bench_table.py --check    exit code 1 where they are not what the files say
"""
import json
import math
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"
BENCH = ROOT / "results" / "bench"
NETWORKS = [("mnist", "MNIST, CryptoNets, 2 squares"),
            ("cifar10-ngraph", "nGraph-HE's CIFAR-10 network, 2 squares"),
            ("pneumonia", "PneumoniaMNIST, LeNet-5, 4 squares"),
            ("cifar10", "CIFAR-10, 5 squares"),
            ("cifar10-deep", "CIFAR-10, 7 squares, 13 million multiply-adds")]
# Name, label of the axis, what the points are named by, what grows.
CURVES = [("width", "width of two dense layers", [64, 128, 256, 512, 1024]),
          ("depth", "squares, dense layers of 64", [1, 2, 3, 4, 5, 6, 7]),
          ("batch", "images in the batch (MNIST)", [1, 512, 2048, 8192])]
KERNELS = ["ntt_forward/8192", "ntt_forward/16384", "digit_product/576x96x3", "digit_product/844x100x3",
           "digit_product/26x5x3", "split_pair/8192x3", "sum_squares/256x36x25", "square_terms/8192",
           "key_product/8192x3", "base_convert/8192x2to6", "expand_uniform/8192", "unpack_bits/8192x36",
           "encode/8192", "square_relinearise_rescale/16384x8", "encrypt/8192x3"]


def load(name):
    path = BENCH / f"{name}.json"
    return json.loads(path.read_text())["result"] if path.exists() else None


def size(count):
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def duration(seconds):
    for unit, factor in (("s", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rate(a_second):
    for prefix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if a_second >= factor:
            return f"{a_second / factor:.3g} {prefix}"
    return f"{a_second:.3g}"


def off(predicted, measured):
    return f"{100 * (predicted / measured - 1):+.0f} %"


def networks():
    lines = ["| network | N | a slot, 1 thread | all threads | prediction off by, 1 / all | peak memory, planned | off by "
             "| speed-up | of registers only | serial |", "|---|---|---|---|---|---|---|---|---|---|"]
    for name, title in NETWORKS:
        r = load(name)
        if not r:
            continue
        one, most = r["runs"][0], r["runs"][-1]
        lines.append(
            f"| {title} (`{name}.json`) | {r['ring_dimension']} | {one['amortized_ms']:.3g} ms | {most['amortized_ms']:.3g} ms "
            f"| {off(one['predicted_over_measured'], 1)} / {off(most['predicted_over_measured'], 1)} "
            f"| {size(r['evaluation_peak_bytes'])}, {size(r['planned_peak_bytes'])} "
            f"| {off(r['planned_peak_bytes'], r['evaluation_peak_bytes'])} | {most['speed_up']:.2f} "
            f"| {most['registers_only_speed_up']:.2f} | {100 * most['serial_share']:.1f} % |")
    return lines


def points(name, places):
    found = []
    for place in places:
        r = load(f"{name}-{place}")
        if r:
            run = r["runs"][-1]
            found.append((place, run["median_seconds"], run["predicted_seconds"], r))
    return found


def curves():
    lines = ["| what grows | at | N | evaluation | predicted | off by | an image |", "|---|---|---|---|---|---|---|"]
    for name, title, places in CURVES:
        for place, measured, predicted, r in points(name, places):
            images = r["images"] if name == "batch" else r.get("images_per_batch", r["slots"])
            lines.append(f"| {title} | {place} | {r['ring_dimension']} | {duration(measured)} | {duration(predicted)} "
                         f"| {off(predicted, measured)} | {duration(measured / images)} |")
    return lines


def kernels():
    r = load("kernels")
    lines = ["| kernel | ref | AVX2 | AVX-512 | a second | limit | share of it |", "|---|---|---|---|---|---|---|"]
    if not r:
        return lines
    by_name = {m["name"]: m for m in r["measurements"]}
    for kernel in KERNELS:
        of = {v: by_name.get(f"{v}/{kernel}") for v in ("ref", "avx2", "avx512")}
        best = of["avx512"]
        if not best:
            continue
        times = [duration(of[v]["median"]) if of[v] else "" for v in ("ref", "avx2", "avx512")]
        lines.append(f"| `{kernel}` | {times[0]} | {times[1]} | {times[2]} | {rate(best['per_second'])} {best['unit_of_work']} "
                     f"| {best['limit']} | {100 * best['share_of_limit']:.0f} % |")
    return lines


def picture(title, x_label, series, places):
    """Measured points and the predicted line, both axes logarithmic."""
    width, height, left, right, top, bottom = 560, 340, 70, 20, 40, 50
    xs = [math.log(p) for p in places]
    ys = [v for _, values in series for v in values]
    low, high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))
    high = max(high, low + 1)

    def x_of(x):
        return left + (width - left - right) * (math.log(x) - xs[0]) / (xs[-1] - xs[0])

    def y_of(y):
        return height - bottom - (height - top - bottom) * (math.log10(y) - low) / (high - low)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
           f'<text x="{left}" y="22" font-size="15" fill="#222">{title}</text>']
    for decade in range(low, high + 1):
        y = y_of(10.0 ** decade)
        out.append(f'<path d="M{left} {y:.1f}H{width - right}" stroke="#ddd"/>'
                   f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{duration(10.0 ** decade)}</text>')
    for place in places:
        x = x_of(place)
        out.append(f'<path d="M{x:.1f} {top}V{height - bottom}" stroke="#eee"/>'
                   f'<text x="{x:.1f}" y="{height - bottom + 18}" text-anchor="middle" fill="#444">{place}</text>')
    out.append(f'<text x="{(left + width - right) / 2}" y="{height - 10}" text-anchor="middle" fill="#222">{x_label}</text>')
    for (name, values), colour in zip(series, ("#1b6ca8", "#c8553d")):
        line = " ".join(f"{x_of(p):.1f},{y_of(v):.1f}" for p, v in zip(places, values))
        if name == "predicted":
            out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="6 4"/>')
        else:
            out += [f'<circle cx="{x_of(p):.1f}" cy="{y_of(v):.1f}" r="5" fill="{colour}"/>' for p, v in zip(places, values)]
    for i, ((name, _), colour) in enumerate(zip(series, ("#1b6ca8", "#c8553d"))):
        out.append(f'<text x="{width - right - 90}" y="{top + 4 + 16 * i}" fill="{colour}">{name}</text>')
    return "\n".join(out + ["</svg>", ""])


def pictures():
    made = {}
    for name, title, places in CURVES:
        found = points(name, places)
        if len(found) < 2:
            continue
        per = [r["images"] if name == "batch" else 1 for *_, r in found]
        made[f"{name}.svg"] = picture(
            "Time an image" if name == "batch" else "Evaluation of a full batch", title,
            [("measured", [m / k for (_, m, _, _), k in zip(found, per)]),
             ("predicted", [p / k for (_, _, p, _), k in zip(found, per)])], [p for p, *_ in found])
    return made


def main():
    check = sys.argv[1:] == ["--check"]
    page = PAGE.read_text()
    for name, make in (("networks", networks), ("curves", curves), ("kernels", kernels)):
        page = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
                      lambda m: m[1] + "\n".join(make()) + "\n" + m[2], page, flags=re.S)
    files = {PAGE: page} | {PICTURES / n: text for n, text in pictures().items()}
    behind = [p for p, text in files.items() if not p.exists() or p.read_text() != text]
    if check:
        for p in behind:
            print(f"bench_table: {p.relative_to(ROOT)} is behind results/bench; run tools/bench_table.py")
        return 1 if behind else 0
    for p in behind:
        p.parent.mkdir(exist_ok=True)
        p.write_text(files[p])
    return 0


if __name__ == "__main__":
    sys.exit(main())
