#!/usr/bin/env python3
"""Looks for the contents of a secret key in every file below a folder: find_secret.py SECRET.KEY FOLDER

The key's file holds its coefficients, two bits each, in the middle; a file that holds any run of 64 bytes of them is
named, and the exit code is 1.
"""
import pathlib
import sys

RUN = 64  # bytes: 256 coefficients, which do not occur anywhere by chance


def main():
    key, folder = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2])
    # The first bytes are what all of its files have: type, version, parameters, the key's name.
    middle = range(len(key) // 4, len(key) - RUN - RUN, RUN)
    pieces = [key[at:at + RUN] for at in middle]
    guilty = [path for path in sorted(folder.rglob("*")) if path.is_file()
              for data in [path.read_bytes()] if any(piece in data for piece in pieces)]
    for path in guilty:
        print(f"{path} holds a part of the secret key")
    if not guilty:
        print(f"no file in {folder}/ holds any of {len(pieces)} pieces of the key")
    return 1 if guilty else 0


if __name__ == "__main__":
    sys.exit(main())
