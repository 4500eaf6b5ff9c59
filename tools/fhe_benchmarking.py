#!/usr/bin/env python3
"""Runs the submission of integrations/fhe-benchmarking/ under the harness's own programs and collects what it measures.

    tools/fhe_benchmarking.py CLONE --size 0..3 --json FILE [--runs 3] [--seed 3]

CLONE is a clone of fhe-benchmarking/ml-inference into which integrations/fhe-benchmarking/install.sh has put the
submission. Its Python needs numpy, torch, torchvision and absl (Debian: python3-torch python3-torchvision python3-absl
python3-numpy, with /usr/bin first in the PATH). MNIST is taken from VELUM_DATA/mnist, as the harness would download it.
Seconds, sizes and accuracy are the harness's. Beside them: exact bytes of the folders, and what the system says of the
compute step when it is called once more.
"""
import argparse
import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time

NAMES = ["single", "small", "medium", "large"]
IMAGES = [1, 100, 1000, 10000]
MNIST = [f"{part}-{what}" for part in ("train", "t10k") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")]


def place_mnist(folder):
    """Where torchvision looks before it downloads."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name in MNIST:
        source = pathlib.Path(os.environ["VELUM_DATA"]) / "mnist" / (name + ".gz")
        if not (raw / name).exists():
            with gzip.open(source) as packed, open(raw / name, "wb") as plain:
                shutil.copyfileobj(packed, plain)


def set_images(clone):
    """The number of images of each size, which differs between the harness's versions. Returns what it said."""
    params = clone / "harness" / "params.py"
    text = params.read_text(encoding="utf-8")
    said = re.search(r"batch_size\s*=\s*(\[[^]]*\])", text)
    params.write_text(text[:said.start(1)] + str(IMAGES) + text[said.end(1):], encoding="utf-8")
    return json.loads(said[1])


def folder_bytes(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def seconds(text):
    return float(text.rstrip("s"))


def run_harness(clone, size, runs, seed):
    log = subprocess.run([sys.executable, "harness/run_submission.py", str(size), "--num_runs", str(runs), "--seed", str(seed)],
                         cwd=clone, check=True, text=True, stdout=subprocess.PIPE).stdout
    found = []
    for run in range(1, runs + 1):
        result = json.loads((clone / "measurements" / NAMES[size] / f"results-{run}.json").read_text(encoding="utf-8"))
        stages = {name: seconds(text) for name, text in result["per_stage"].items()}
        found.append({"stages": stages, "bandwidth": result["bandwidth"], "quality": result.get("mnist_model_quality")})
    return log, found


def compute_again(clone, size):
    """The compute step by itself: what of its time is whose."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    text = subprocess.run(["submission/build/server_encrypted_compute", str(size)], cwd=clone, check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"wall": round(wall, 4), "user": round(after.ru_utime - before.ru_utime, 4),
            "system": round(after.ru_stime - before.ru_stime, 4), "page_faults": after.ru_minflt - before.ru_minflt,
            "report": text.splitlines()}


def stage(runs, word):
    return [next(v for name, v in run["stages"].items() if word in name) for run in runs]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clone", type=pathlib.Path)
    parser.add_argument("--size", type=int, choices=range(4), required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=3)
    options = parser.parse_args()
    clone, size, name = options.clone.resolve(), options.size, NAMES[options.size]
    os.environ["PATH"] = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    said = set_images(clone)
    place_mnist(clone / "datasets" / name)
    place_mnist(clone / "harness" / "mnist" / "data")
    log, runs = run_harness(clone, size, options.runs, options.seed)
    sys.stdout.write(log)
    io = clone / "io" / name
    workload = subprocess.run(["sh", "-c", f'. submission/workload.sh; workload {size}; echo "$network|$border|$options"'],
                              cwd=clone, check=True, text=True, stdout=subprocess.PIPE).stdout.strip().split("|")
    quality = runs[0]["quality"]
    result = {
        "size": name, "images": IMAGES[size], "seed": options.seed, "runs": options.runs,
        "harness": {"repository": "fhe-benchmarking/ml-inference", "images_of_sizes_as_fetched": said,
                    "commit": subprocess.run(["git", "-C", clone, "rev-parse", "HEAD"], text=True, check=False,
                                             stdout=subprocess.PIPE).stdout.strip()},
        "variant": os.environ.get("VELUM_VARIANT", "fast"), "network": workload[0], "border": int(workload[1]), "plan_options": workload[2],
        "shared_machine": True,
        "seconds": {"key_generation": stage(runs, "Key Generation"), "model": stage(runs, "model preprocessing"),
                    "input": stage(runs, "Input preprocessing"), "encryption": stage(runs, "Input encryption"),
                    "compute": stage(runs, "ML Inference computation"), "decryption": stage(runs, "Result decryption"),
                    "labels": stage(runs, "Result postprocessing")},
        "bytes": {"public_keys": folder_bytes(io / "public_keys"), "input": folder_bytes(io / "ciphertexts_upload"),
                  "result": folder_bytes(io / "ciphertexts_download")},
        "accuracy": quality and next(q["accuracy"] for tag, q in quality.items() if "Encrypted" in tag),
        "passes": len(re.findall(r"^\[harness\] PASS", log, re.M)) if size == 0 else None,
        "harness_says": [run["bandwidth"] for run in runs],
        "compute_again": [compute_again(clone, size) for _ in range(options.runs)],
    }
    pathlib.Path(options.json).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
