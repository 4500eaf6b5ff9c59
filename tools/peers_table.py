#!/usr/bin/env python3
"""Writes the table of docs/peers.md and its picture from results/peers/ (tools/peers/compare.sh makes those files).

    tools/peers_table.py            writes the table between its marks, and docs/pictures/peers.svg
    tools/peers_table.py --check    exits with 1 where either differs from the records
"""
import json
import math
import pathlib
import sys

sys.dont_write_bytecode = True
from pages import size, with_tables, write_or_check

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "peers.md"
PICTURE = ROOT / "docs" / "pictures" / "peers.svg"
COLOURS = {"Velum": "#1f5fa8", "OpenFHE": "#c2571a", "HElayers": "#3d8a4e", "TenSEAL": "#7a4fa3", "Orion": "#b03a6b",
           "desilofhe": "#7a6a1f"}


def records():
    found = [json.loads(p.read_text(encoding="utf-8")) for p in (ROOT / "results" / "peers").glob("*.json")]
    order = list(COLOURS)
    return sorted(found, key=lambda r: (r["result"]["images"], order.index(r["result"]["peer"])))


def seconds(x):
    return f"{x:.3g} s" if x >= 1 else f"{1e3 * x:.3g} ms" if x >= 1e-3 else f"{1e6 * x:.3g} us"


def row(record, velum):
    r = record["result"]
    s, b = r["seconds"], r["bytes"]
    ours = velum.get(r["images"])
    ratio = "" if r["peer"] == "Velum" or not ours else f"{s['warm'] / ours:.1f}"
    bits = -math.log2(r["worst_error"] / r["largest_output"])
    cells = [f"{r['images']:,}", f"{r['peer']} {r['version']}", r["packing"], str(r["parameters"]["n"]), seconds(s["first"]),
             seconds(s["warm"]), seconds(s["warm"] / r["images"]), ratio, size(b["up"]), size(b["down"]),
             size(b["keys"]) if b.get("keys") else "not asked", size(r.get("server_peak_rss_bytes", r["peak_rss_bytes"])),
             f"{bits:.1f}", str(record["lines_of_code"])]
    return "| " + " | ".join(cells) + " |"


def table():
    all_records = records()
    if not all_records:
        return "No records.\n"
    velum = {r["result"]["images"]: r["result"]["seconds"]["warm"] for r in all_records if r["result"]["peer"] == "Velum"}
    lines = ["| images | program | packing | N | first run | warm | warm, an image | times Velum's | up | down | keys "
             "| peak memory | bits kept | lines |", "|" + "---|" * 14]
    lines += [row(r, velum) for r in all_records]
    m = all_records[0]["machine"]
    shared = "shared with other work" if any(r["machine"]["shared"] for r in all_records) else "otherwise idle"
    silent = sorted({r["result"]["peer"] for r in all_records if not r["result"]["parameters"].get("security")})
    security = "128 bits of security" + (f" ({', '.join(silent)} does not tell its own)" if silent else "")
    lines += ["", f"{m['cpu']}, {m['cores']} cores ({', '.join(m['instructions'])}), 2 threads, {shared}; {security}. "
              "Files: `results/peers/`, written by `tools/peers/compare.sh`."]
    return "\n".join(lines) + "\n"


def picture():
    """Seconds an image against images, both logarithmic."""
    points = {}
    for r in records():
        r = r["result"]
        points.setdefault(r["peer"], []).append((r["images"], r["seconds"]["warm"] / r["images"]))
    if not points:
        return ""
    xs = [math.log10(x) for p in points.values() for x, _ in p]
    ys = [math.log10(y) for p in points.values() for _, y in p]
    low, high = math.floor(min(ys)), math.ceil(max(ys))
    right = max(max(xs), 1)
    px = lambda x: 70 + 470 * math.log10(x) / right
    py = lambda y: 300 - 270 * (math.log10(y) - low) / (high - low)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 350" font-family="sans-serif" font-size="12">',
           '<rect width="660" height="350" fill="white"/>']
    for d in range(low, high + 1):
        y = py(10.0**d)
        name = f"{10**d:g} s" if d >= 0 else f"{10**(d + 3):g} ms"
        out.append(f'<line x1="70" x2="540" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/><text x="62" y="{y + 4:.1f}" text-anchor="end">{name}</text>')
    for x in (1, 10, 100, 1000, 10000):
        if math.log10(x) <= right + 0.1:
            out.append(f'<text x="{px(x):.1f}" y="318" text-anchor="middle">{x:,}</text>')
    out.append('<text x="305" y="340" text-anchor="middle">images of the job</text>')
    out.append('<text x="70" y="18">evaluation, an image (memory warm)</text>')
    for peer in COLOURS:
        if peer not in points:
            continue
        p = sorted(points[peer])
        path = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in p)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[peer]}" stroke-width="2"/>')
        out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3.5" fill="{COLOURS[peer]}"/>' for x, y in p]
        out.append(f'<text x="{px(p[-1][0]) + 8:.1f}" y="{py(p[-1][1]) + 4:.1f}" fill="{COLOURS[peer]}">{peer}</text>')
    return "\n".join(out + ["</svg>"]) + "\n"


if __name__ == "__main__":
    page = with_tables(PAGE.read_text(encoding="utf-8"), {"peers": table})
    sys.exit(write_or_check({PAGE: page, PICTURE: picture()}, "peers_table"))
