#!/usr/bin/env python3
"""Draws a small folder of images, as somebody may have one: make_images.py FOLDER [PER_CLASS [SEED]]

FOLDER/0/, FOLDER/1/, ... FOLDER/9/ each get PNG images of 28 by 28 grey pixels with that digit, white on black, as
MNIST has them. Only the standard library is needed.
"""
import math
import pathlib
import random
import struct
import sys
import zlib

SIDE = 28

# Each digit as strokes through points of a box from (0, 0), top left, to (1, 1).
STROKES = {
    0: [[(.52, .02), (.28, .12), (.20, .45), (.26, .82), (.50, .98), (.74, .84), (.80, .50), (.72, .15), (.52, .02)]],
    1: [[(.32, .22), (.52, .03), (.52, .50), (.51, .98)]],
    2: [[(.24, .24), (.36, .06), (.60, .04), (.76, .20), (.70, .42), (.46, .70), (.22, .96), (.50, .94), (.80, .96)]],
    3: [[(.24, .14), (.48, .02), (.72, .16), (.66, .38), (.44, .47), (.68, .54), (.78, .75), (.60, .96), (.36, .96),
         (.20, .82)]],
    4: [[(.32, .05), (.26, .30), (.21, .54), (.50, .56), (.82, .52)], [(.70, .06), (.68, .50), (.64, .98)]],
    5: [[(.74, .05), (.54, .05), (.34, .06), (.28, .44), (.52, .38), (.76, .54), (.74, .82), (.50, .97), (.22, .88)]],
    6: [[(.66, .03), (.42, .20), (.26, .50), (.24, .80), (.44, .98), (.70, .86), (.74, .64), (.54, .52), (.29, .66)]],
    7: [[(.20, .06), (.50, .06), (.78, .05), (.60, .45), (.44, .98)]],
    8: [[(.50, .48), (.30, .32), (.32, .10), (.52, .03), (.70, .14), (.68, .34), (.50, .48), (.28, .66), (.26, .86),
         (.50, .98), (.74, .86), (.72, .64), (.50, .48)]],
    9: [[(.74, .22), (.56, .05), (.32, .12), (.26, .34), (.44, .48), (.68, .40), (.74, .22), (.72, .55), (.60, .98)]],
}


def distance(x, y, a, b):
    """From a pixel to the straight piece from a to b."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = min(1, max(0, ((x - a[0]) * dx + (y - a[1]) * dy) / length)) if length else 0
    return math.hypot(x - a[0] - t * dx, y - a[1] - t * dy)


def draw(digit, rng):
    """Rows of bytes: the digit by a hand that is a little different every time."""
    height = rng.uniform(17, 21)
    width = height * rng.uniform(.8, 1.1)
    slant, pen = rng.uniform(-.1, .2), rng.uniform(.9, 1.5)
    left, top = 13.5 + rng.uniform(-1, 1), 13.5 + rng.uniform(-1, 1)
    place = lambda u, v: (left + (u - .5) * width - slant * (v - .5) * height, top + (v - .5) * height)
    pieces = [(place(*a), place(*b)) for stroke in STROKES[digit] for a, b in zip(stroke, stroke[1:])]
    ink = lambda x, y: min(1, max(0, pen - min(distance(x, y, a, b) for a, b in pieces) + .5))
    return [bytes(round(255 * ink(x, y)) for x in range(SIDE)) for y in range(SIDE)]


def png(rows):
    """An image of 8-bit grey values as the bytes of a PNG file."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def main():
    folder, per_class = pathlib.Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 6
    rng = random.Random(sys.argv[3] if len(sys.argv) > 3 else "1")
    for digit in STROKES:
        home = folder / str(digit)
        home.mkdir(parents=True, exist_ok=True)
        for i in range(per_class):
            (home / f"{i:03}.png").write_bytes(png(draw(digit, rng)))
    print(f"{len(STROKES) * per_class} images in {folder}/")


if __name__ == "__main__":
    main()
