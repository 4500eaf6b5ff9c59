#!/usr/bin/env python3
"""Writes a NumPy file of float32 vectors in [0, 1], the same ones every time: drawn_vectors.py FILE COUNT LENGTH."""
import random
import struct
import sys

path, count, length = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
header = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, 1, 1, %d), }" % (count, length)
header += " " * (63 - (10 + len(header)) % 64) + "\n"
values = random.Random(1)
with open(path, "wb") as f:
    f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    f.write(struct.pack("<%df" % (count * length), *(values.random() for _ in range(count * length))))
