"""Velum, through its commands: python velum_peer.py MODEL.onnx NETWORK.npz MNIST-FOLDER IMAGES; `velum` is on the PATH.

Keys and files as separate processes make them; seconds of the evaluation are those of `velum bench network`, whose first run touches new
memory and whose further ones do not, and beside them those of a fresh `velum infer`.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import network
from report import print_report, timed

model, path, folder, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
images, labels = network.mnist(folder, count)
expected = network.clear(network.load(path), images)
data = ["--data", f"mnist:{folder}", "--images", str(count)]


def velum(*arguments):
    subprocess.run(["velum", *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=tmp)


with tempfile.TemporaryDirectory() as tmp:
    of = lambda name: os.path.join(tmp, name)
    read = lambda name: json.load(open(of(name)))
    # --- lines of a user's program begin here ---
    velum("plan", model, "--batch", count, "--out", "plan")
    velum("keygen", "--plan", "plan/client.plan", "--out", "keys")
    encrypting, _ = timed(
        lambda: velum("encrypt", "--plan", "plan/client.plan", "--key", "keys/secret/secret.key", *data, "--out", "batch.vct"))
    velum("infer", "--plan", "plan/server.plan", "--keys", "keys/public/eval.keys", "--in", "batch.vct", "--out", "out.vct",
          "--json", "infer.json")
    decrypting, _ = timed(
        lambda: velum("decrypt", "--plan", "plan/client.plan", "--key", "keys/secret/secret.key", "--in", "out.vct", "--sent",
                      "batch.vct", "--out", "scores.csv"))
    # --- and end here ---
    velum("bench", "network", model, *data, "--batch", count, "--no-scaling", "--repeat", "5", "--json", "bench.json")
    infer, bench = read("infer.json"), read("bench.json")
    rows = [line.split(",") for line in open(of("scores.csv"))]
    at = [k for k, name in enumerate(rows[0]) if name.strip().startswith("output")] or list(range(len(rows[0])))[-10:]
    outputs = np.array([[float(row[k]) for k in at] for row in rows[1:]])
    batches = infer["batches"]
    print_report(
        "Velum", subprocess.run(["velum", "--version"], capture_output=True, text=True).stdout.split()[-1], count, outputs, expected, labels,
        packing=f"{infer['slots'] // infer['images_per_batch']} blocks" if infer["images_per_batch"] < infer["slots"] else "element a ciphertext",
        seconds={"encrypt": encrypting, "first": bench["first_seconds"] * batches, "warm": bench["median_seconds"] * batches,
                 "fresh_process": infer["seconds"]["total"], "decrypt": decrypting},
        bytes={"up": infer["bytes"]["input"], "down": infer["bytes"]["output"], "keys": os.path.getsize(of("keys/public/eval.keys"))},
        parameters={"n": bench["ring_dimension"], "security": 128},
        server_peak_rss_bytes=infer["peak_rss_bytes"],
    )
