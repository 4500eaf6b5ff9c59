#!/usr/bin/env python3
"""Runs every polynomial network of a folder of exports encrypted, and records whether it keeps the precision promised.

  tools/run_exports.py [--velum PROGRAM] [--exports FOLDER] [--images N] [--only NAME,..] [--json FILE]

  --exports FOLDER   NAME/D.onnx or K.onnx, NAME/shape, x_SHAPE.npy (default: VELUM_EXPORTS, or ../shared/exports)

Ranges come from the same images (--calibrate). `velum run` compares with the network in the clear, and itself fails where
an output is beyond what the plan allows for or 3 bits less precise than predicted; here each network counts that keeps 12
bits of the plan's largest output, which is promised where nobody asks. Keys and noise come from the system's randomness:
there is no seed. Needs no more than Python itself.
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMISED = 12  # bits
LIMIT = 1800  # seconds a network


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {"cpu": cpu, "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1)}


def run_one(velum, model, images, count, place):
    inspected = subprocess.run([velum, "inspect", model, "--json", place / "inspect.json"], capture_output=True, text=True)
    if inspected.returncode:
        return {"verdict": "refused", "message": inspected.stderr.strip().replace(str(model), model.name)}
    if not json.loads((place / "inspect.json").read_text())["can_be_encrypted"]:
        return {"verdict": "not polynomial"}
    data = f"npy:{images}"
    try:
        run = subprocess.run([velum, "run", model, "--data", data, "--calibrate", data, "--images", str(count), "--json",
                              place / "run.json"], capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"verdict": "not finished", "message": f"stopped after {LIMIT} s"}
    if run.returncode:
        return {"verdict": "failed", "message": run.stderr.strip().splitlines()[-1].replace(str(model), model.name)}
    result = json.loads((place / "run.json").read_text())
    bits = {key: round(value, 2) for key, value in result["bits_of_bound"].items()}
    kept = {key: result[key] for key in ("max_abs_error", "agreement", "images_per_batch")}
    kept["seconds"] = {k: round(v, 1) for k, v in result["seconds"].items()}
    kept["log2_n"] = result["params"]["ring_dimension"].bit_length() - 1
    return {"verdict": "kept" if bits["kept"] >= PROMISED else "short", "bits_of_bound": bits, **kept}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--velum", default="velum")
    parser.add_argument("--exports", default=os.environ.get("VELUM_EXPORTS") or ROOT.parent / "shared" / "exports")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", default=ROOT / "results" / "exports.json")
    options = parser.parse_args()
    exports, wanted = pathlib.Path(options.exports), set(filter(None, options.only.split(",")))
    if not exports.is_dir():
        print("no folder of exports")
        sys.exit(77)
    networks = []
    record = {"command": f"tools/run_exports.py --images {options.images}", "commit": output_of("git", "rev-parse", "HEAD"),
              "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "machine": machine(),
              "seed": "none: keys and noise are the system's", "note": "the machine was shared while this ran: times are no measurement"}
    for folder in sorted(p for p in exports.iterdir() if p.is_dir()):
        if wanted and folder.name not in wanted:
            continue
        model = next(folder.glob("*.onnx"))
        images = exports / f"x_{(folder / 'shape').read_text().strip()}.npy"
        with tempfile.TemporaryDirectory() as place:
            row = {"file": f"{folder.name}/{model.name}",
                   **run_one(options.velum, model, images, options.images, pathlib.Path(place))}
        networks.append(row)
        print(f"{row['file']}: {row['verdict']} {row.get('bits_of_bound', row.get('message', ''))}", flush=True)
        count = {v: sum(n["verdict"] == v for n in networks)
                 for v in ("kept", "short", "failed", "not polynomial", "refused", "not finished")}
        pathlib.Path(options.json).write_text(json.dumps({"record": record, **count, "networks": networks}, indent=1) + "\n")
    sys.exit(any(n["verdict"] in ("short", "failed", "not finished") for n in networks))


if __name__ == "__main__":
    main()
