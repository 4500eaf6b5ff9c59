#!/usr/bin/env python3
"""MNIST without its border, as IDX files again: what a network for the public board is trained on.

    tools/crop_mnist.py MNIST OUT BORDER     BORDER pixels go on each side; names and labels stay
"""
import gzip
import pathlib
import struct
import sys

SIDE = 28


def contents(folder, name):
    for path in (folder / name, folder / (name + ".gz")):
        if path.exists():
            return (gzip.open(path) if path.suffix == ".gz" else open(path, "rb")).read()
    sys.exit(f"crop_mnist: {folder}: no {name} or {name}.gz")


def crop(data, border):
    magic, count, height, width = struct.unpack_from(">4I", data)
    if (magic, height, width, len(data)) != (0x803, SIDE, SIDE, 16 + count * SIDE * SIDE):
        sys.exit("crop_mnist: not MNIST's images")
    side = SIDE - 2 * border
    rows = [data[at + border:at + border + side]
            for image in range(16, len(data), SIDE * SIDE)
            for at in range(image + SIDE * border, image + SIDE * (border + side), SIDE)]
    return struct.pack(">4I", magic, count, side, side) + b"".join(rows)


def main():
    if len(sys.argv) != 4 or not sys.argv[3].isdigit() or not 2 * int(sys.argv[3]) < SIDE:
        sys.exit(__doc__)
    source, out, border = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    for part in ("train", "t10k"):
        (out / f"{part}-images-idx3-ubyte").write_bytes(crop(contents(source, f"{part}-images-idx3-ubyte"), border))
        (out / f"{part}-labels-idx1-ubyte").write_bytes(contents(source, f"{part}-labels-idx1-ubyte"))


if __name__ == "__main__":
    main()
