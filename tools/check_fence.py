#!/usr/bin/env python3
"""The engine orders the stores that its products write past the caches, before other threads read them.

No test can see a missing fence: the stores arrive in order nearly always. So this one looks at the machine code of the
function that has to contain it. Usage: check_fence.py OBJECT...; exits with 77 where there is no objdump.
"""

import re
import shutil
import subprocess
import sys

# What compilers make of a sequentially consistent fence on x86-64.
FENCE = re.compile(r"\b(mfence|sfence|lock (or|add)[lq]? +\$0x0,.*\(%[re]sp\))")


def main(objects):
    if not shutil.which("objdump"):
        print("objdump is not there: nothing was checked")
        return 77
    affine = [path for path in objects if path.endswith("/affine.cpp.o")]
    if len(affine) != 1:
        print(f"expected one affine.cpp.o among {len(objects)} objects, there are {len(affine)}")
        return 1
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", affine[0]], check=True, capture_output=True, text=True)
    if FENCE.search(code.stdout):
        return 0
    print(f"{affine[0]}: no fence: the product's stores past the caches are not ordered before other threads read them")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
