#!/usr/bin/env python3
"""A table of plans, from what `velum plan --json` wrote of each: compare.py PLAN.json ..."""
import json
import sys

print(f"{'plan':<12}{'blocks':>7}{'images a batch':>16}{'N':>8}{'memory':>10}{'keys':>10}{'a batch':>10}{'input an image':>16}")
rows = []
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        plan = json.load(file)
    packing, rows = plan["packing"], rows + [plan]
    print(f"{name.removesuffix('.json'):<12}{packing['blocks']:>7}{packing['images_per_batch']:>16}"
          f"{plan['params']['ring_dimension']:>8}{plan['memory']['peak_bytes'] / 1e6:>7.0f} MB"
          f"{plan['keys']['bytes'] / 1e6:>7.1f} MB{1e3 * plan['total']['seconds']:>7.0f} ms"
          f"{plan['input']['bytes_per_image'] / 1e3:>13.1f} kB")
print("Times are predicted, of one batch on one thread; sizes of an input are of a full batch.")

# Fewer images have more blocks of a ciphertext each, and the other way round.
blocks = [plan["packing"]["blocks"] for plan in rows]
sys.exit(0 if blocks == sorted(blocks, reverse=True) and blocks[-1] == 1 else "the plans are not as the README says")
