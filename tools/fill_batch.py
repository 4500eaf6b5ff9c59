#!/usr/bin/env python3
"""Makes a full batch out of a set with fewer images than slots: all splits of a MedMNIST file one after the other,
repeated until there are COUNT images.
    tools/fill_batch.py pneumoniamnist.npz COUNT OUT      writes OUT/images.npy and OUT/labels.npy
Every repetition is encrypted on its own, in its own slot: time and memory are those of COUNT images, accuracy is that
of the distinct ones. See docs/decisions/007-full-batches-of-small-sets.md."""
import ast
import pathlib
import struct
import sys
import zipfile


def read_npy(data):
    """(descr, shape, bytes of the values) of a version 1 file in C order."""
    if data[:8] != b"\x93NUMPY\x01\x00":
        sys.exit("fill_batch: not a NumPy file of version 1")
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10:10 + length].decode())
    if header["fortran_order"]:
        sys.exit("fill_batch: arrays in Fortran order are not read")
    return header["descr"], header["shape"], data[10 + length:]


def write_npy(path, descr, shape, values):
    header = repr({"descr": descr, "fortran_order": False, "shape": shape})
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + values)


def filled(archive, kind, count):
    parts = [read_npy(archive.read(f"{split}_{kind}.npy")) for split in ("train", "val", "test")]
    values = b"".join(p[2] for p in parts)
    images = sum(p[1][0] for p in parts)
    item = len(values) // images
    return parts[0][0], (count,) + tuple(parts[0][1][1:]), (values * -(-count // images))[:count * item]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    source, count, out = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(source) as archive:
        for kind in ("images", "labels"):
            write_npy(out / f"{kind}.npy", *filled(archive, kind, count))


if __name__ == "__main__":
    main()
