#!/usr/bin/env python3
"""Leaves the figures of single steps out of a record: in blocks a network has hundreds of them, which no page cites.

    tools/drop_steps.py RECORD.json
"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    record = json.load(file)
result = record["result"]
for key in ("layers", "measurements"):
    result.pop(key, None)
for run in result.get("runs", []):
    run.pop("layers", None)
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(record, file, indent=1)
    file.write("\n")
