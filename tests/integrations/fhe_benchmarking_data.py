#!/usr/bin/env python3
"""Images for the test beside, in the harness's format, and the comparison with the clear network. Without packages.

    write FOLDER COUNT SEED        FOLDER/test_pixels.txt
    array FOLDER BORDER FILE.npy   the same as bytes, without the border
    compare IO CLEAR.csv COUNT     labels and outputs in IO
"""
import csv
import gzip
import math
import os
import pathlib
import random
import struct
import sys

SIDE = 28


def drawn(rng):
    """Thick strokes, dark noise: about as much ink as a digit has."""
    image = [[0] * SIDE for _ in range(SIDE)]
    y, x, dy, dx = rng.uniform(6, 21), rng.uniform(6, 21), rng.uniform(-1, 1), rng.uniform(-1, 1)
    for _ in range(45):
        for row in range(int(y) - 1, int(y) + 2):
            for column in range(int(x) - 1, int(x) + 2):
                image[row][column] = min(255, image[row][column] + rng.randrange(60, 200))
        dy, dx = dy + rng.uniform(-0.4, 0.4), dx + rng.uniform(-0.4, 0.4)
        y, x = min(max(y + dy, 5), 22), min(max(x + dx, 5), 22)
    return [image[r][c] for r in range(SIDE) for c in range(SIDE)]


def images(count, seed):
    folder = pathlib.Path(os.environ.get("VELUM_DATA", "")) / "mnist"
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte"):
        if os.environ.get("VELUM_DATA") and (folder / name).exists():
            data = (gzip.open if name.endswith(".gz") else open)(folder / name, "rb").read()
            return [data[16 + 784 * (seed * 100 + i):][:784] for i in range(count)]
    rng = random.Random(seed)
    return [drawn(rng) for _ in range(count)]


def write(folder, count, seed):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "test_pixels.txt", "w", encoding="ascii") as f:
        for image in images(int(count), int(seed)):
            f.write(" ".join(f"{value / 255:.6f}" for value in image) + "\n")


def array(folder, border, out):
    border = int(border)
    side = SIDE - 2 * border
    lines = (pathlib.Path(folder) / "test_pixels.txt").read_text(encoding="ascii").splitlines()
    rows = [[round(float(v) * 255) for v in line.split()] for line in lines]
    values = bytes(row[SIDE * r + c] for row in rows for r in range(border, SIDE - border)
                   for c in range(border, SIDE - border))
    head = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({len(rows)}, {side}, {side}), }}"
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    pathlib.Path(out).write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + values)


def outputs(path):
    with open(path, newline="", encoding="utf-8") as f:
        return [[float(row[f"output_{i}"]) for i in range(10)] for row in csv.DictReader(f)]


def compare(io, clear, count):
    io, count = pathlib.Path(io), int(count)
    clear, found = outputs(clear), outputs(io / "intermediate" / "outputs.csv")
    labels = [int(line) for line in (io / "encrypted_model_predictions.txt").read_text(encoding="ascii").splitlines()]
    if not len(clear) == len(found) == len(labels) == count:
        sys.exit(f"{io}: {len(found)} outputs and {len(labels)} labels, {count} images")
    reach = max(abs(v) for row in clear for v in row)
    # The plan promises 8 bits of the largest output that it allows for, which is many times that of one image. Measured
    # on one image, errors have a root mean square of 0.008 of its largest output, and 0.02 of it is seen now and then.
    errors = [abs(a - b) / reach for x, y in zip(clear, found) for a, b in zip(x, y)]
    worst, rms = max(errors), math.sqrt(sum(e * e for e in errors) / len(errors))
    if worst > 0.06 or rms > 0.02:
        sys.exit(f"{io}: outputs are off by {worst:.3f} of the largest, by {rms:.3f} in the root mean square")
    for i, (row, encrypted, label) in enumerate(zip(clear, found, labels)):
        if label != max(range(10), key=lambda c: encrypted[c]):
            sys.exit(f"{io}: image {i}: label {label} is not its largest output")
        if max(row) - row[label] > 0.12 * reach:
            sys.exit(f"{io}: image {i}: label {label}, the clear network says {row.index(max(row))}")
    print(f"{io}: {count} images, outputs within {worst:.5f} of the largest, labels {labels[:10]}")


if __name__ == "__main__":
    {"write": write, "array": array, "compare": compare}[sys.argv[1]](*sys.argv[2:])
