#!/usr/bin/env python3
"""Measures what jobs of several sizes take in each packing of a network, and writes one JSON file.

    tools/packing_cells.py --model FILE.onnx --data DATASET --rates FILE --json OUT [--packings auto channels batch]
                           [--images 1 16 ...] [--memory 20GB] [--threads 1] [--repeat 9]

A cell is a packing and a number of images. The planner is asked for each cell; cells with the same plan share one measurement
(`velum bench network`), since an evaluation takes the same time however many places are filled. A cell of several jobs is
measured on three evaluations at least and multiplied: "jobs" is what it takes, "measured_jobs" how many were timed. A cell that
cannot be planned is in "skipped", with the planner's reason. Whole channels are planned for 1, 16 and 4,096 images, and every cell
takes the quickest, as measured, of these plans: the planner's estimates are not to speak against the baseline. The time of a cell is processor time, of one thread by default: on a
machine that others use too it is what the same evaluation would take undisturbed, but for caches that are shared: so the least of
the evaluations counts. The time by the clock is recorded beside it. `velum` must be on the PATH.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

# An evaluation that takes longer than this and stands for no other is timed once (after a first one).
LONG_SECONDS = 60
# Evaluations are timed for about so long, but three times at least.
WANTED_SECONDS = 10
CHANNEL_SIZES = [1, 16, 4096]


def run(command):
    return subprocess.run(command, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)


def reason(text):
    lines = [l.strip() for l in text.splitlines() if l.strip()]
    return lines[-1] if lines else "no reason given"


class Cells:
    def __init__(self, options, folder):
        self.o = options
        self.folder = pathlib.Path(folder)
        self.plans, self.known, self.cells, self.skipped, self.batch_plan = [], {}, [], [], None

    def choices(self, packing, images):
        return ["--packing", packing, "--batch", str(images), "--memory", self.o.memory, "--rates", self.o.rates,
                "--threads", str(self.o.threads)]

    def plan(self, packing, images):
        """What the planner makes of a cell, or None."""
        out = self.folder / "plan.json"
        done = run(["velum", "plan", self.o.model, *self.choices(packing, images), "--out", str(self.folder / "plan"),
                    "--json", str(out)])
        if done.returncode != 0:
            self.skipped.append({"packing": packing, "images": images, "reason": reason(done.stderr)})
            return None
        return json.loads(out.read_text(encoding="utf-8"))

    def add(self, packing, images):
        # One element a ciphertext is planned in the same way whatever the number of images.
        if packing != "batch" or self.batch_plan is None:
            planned = self.plan(packing, images)
            if packing == "batch":
                self.batch_plan = planned
        else:
            planned = self.batch_plan
        if planned is None:
            return
        # The same plan, whatever else was considered on the way to it.
        same = json.dumps({k: planned[k] for k in ("input", "keys", "memory", "output", "packing", "params", "steps", "tasks")})
        if same not in self.known:
            self.known[same] = len(self.plans)
            p = planned["params"]
            places = planned["packing"]["images_per_batch"]
            self.plans.append({
                "first_asked": {"packing": packing, "images": images},
                "ring_dimension": p["ring_dimension"], "blocks": planned["packing"]["blocks"], "images_per_job": places,
                "log2_qp": p["log2_qp"], "precision_bits": planned["precision_bits"], "limbs": planned["input"]["limbs"],
                "input_ciphertexts": planned["packing"]["input_ciphertexts"],
                "output_ciphertexts": planned["packing"]["output_ciphertexts"],
                "rotations": planned["keys"]["rotations"], "key_bytes": planned["keys"]["bytes"],
                "input_bytes": planned["input"]["bytes_per_image"] * places,
                "output_bytes": planned["output"]["bytes_per_image"] * places,
                "planned_peak_bytes": planned["memory"]["peak_bytes"], "predicted_seconds": planned["total"]["seconds"] /
                self.o.threads, "most_jobs": 0})
        number = self.known[same]
        plan = self.plans[number]
        if packing == "channels":
            plan["whole_channels"] = True
            plan["most_jobs"] = max(self.o.images)
        else:
            self.cell(packing, images, number)
        print(f"{packing}, {images} images: plan {number}, {plan['blocks']} blocks", flush=True)

    def cell(self, packing, images, number):
        plan = self.plans[number]
        jobs = -(-images // plan["images_per_job"])
        plan["most_jobs"] = max(plan["most_jobs"], jobs)
        self.cells.append({"packing": packing, "images": images, "plan": number, "jobs": jobs})

    def add_channels(self):
        """The cells of whole channels, once their plans are measured."""
        numbers = [i for i, p in enumerate(self.plans) if p.get("whole_channels") and "seconds" in p]
        for images in self.o.images if numbers else []:
            self.cell("channels", images, min(numbers, key=lambda i: self.plans[i]["seconds"] *
                                              -(-images // self.plans[i]["images_per_job"])))

    def measure(self, plan):
        """Evaluations of one job, timed."""
        asked = plan["first_asked"]
        predicted = plan["predicted_seconds"]
        if predicted > LONG_SECONDS:
            repeat = 1 if plan["most_jobs"] == 1 else 3
        else:
            repeat = max(3, min(self.o.repeat, round(WANTED_SECONDS / max(predicted, 1e-6))))
        loaded = min(asked["images"], plan["images_per_job"], 256)
        out = self.folder / "bench.json"
        command = ["velum", "bench", "network", self.o.model, "--data", self.o.data, "--images", str(loaded),
                   *self.choices(asked["packing"], asked["images"]), "--no-scaling", "--repeat", str(repeat), "--json", str(out)]
        done = run(command)
        if done.returncode != 0:
            plan["failed"] = reason(done.stderr)
            return
        r = json.loads(out.read_text(encoding="utf-8"))
        if (r["ring_dimension"], r["images_per_batch"], r["planned_peak_bytes"]) != (
                plan["ring_dimension"], plan["images_per_job"], plan["planned_peak_bytes"]):
            sys.exit(f"packing_cells: {' '.join(command)} measured another plan than was made for the cell")
        timing = r["runs"][-1]
        plan |= {"seconds": min(timing["processor_seconds_by_run"]),
                 "processor_seconds": timing["processor_seconds_by_run"], "clock_seconds": r["seconds"], "evaluations": len(r["seconds"]),
                 "predicted_seconds": timing["predicted_seconds"], "peak_bytes": r["evaluation_peak_bytes"],
                 "machine": r["machine"], "kernels": r["kernels"], "rates": r["rates"],
                 "layers": [{k: l[k] for k in ("name", "median_seconds", "predicted_seconds")} for l in timing["layers"]]}
        print(f"{asked['packing']}, {asked['images']} images: {plan['seconds']:.3f} s a job "
              f"(predicted {plan['predicted_seconds']:.3f})", flush=True)

    def finish(self):
        for plan in self.plans:
            self.measure(plan)
        self.add_channels()
        kept = []
        for cell in self.cells:
            plan = self.plans[cell["plan"]]
            if "failed" in plan:
                self.skipped.append({"packing": cell["packing"], "images": cell["images"], "reason": plan["failed"]})
                continue
            jobs, images = cell["jobs"], cell["images"]
            seconds = plan["seconds"] * jobs
            kept.append(cell | {"measured_jobs": plan["evaluations"], "seconds": seconds, "seconds_per_image": seconds / images,
                                "predicted_seconds": plan["predicted_seconds"] * jobs, "input_bytes": plan["input_bytes"] * jobs,
                                "output_bytes": plan["output_bytes"] * jobs})
        facts = next((p for p in self.plans if "machine" in p), {})
        machine, rates = facts.get("machine"), facts.get("rates")
        for plan in self.plans:
            plan.pop("machine", None)
            plan.pop("rates", None)
        return {"bench": "packings", "version": 1, "model": self.o.model, "data": self.o.data.split(":")[0],
                "machine": machine, "shared_machine": True, "rates": rates, "threads": self.o.threads,
                "memory_limit": self.o.memory,
                "times": "seconds are processor time of a warm evaluation (the least of those timed), clock_seconds the time by "
                         "the clock beside other programs. A cell takes the seconds of its plan times its jobs; cells with one "
                         "plan share its measurement, as filled places cost nothing.",
                "plans": self.plans, "cells": kept, "skipped": self.skipped}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--rates", required=True)
    parser.add_argument("--json", required=True)
    parser.add_argument("--packings", nargs="+", default=["auto", "channels", "batch"])
    parser.add_argument("--images", nargs="+", type=int, default=[1, 16, 64, 256, 1024, 4096, 16384])
    parser.add_argument("--memory", default="20GB")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cells = Cells(options, folder)
        for packing in options.packings:
            for images in CHANNEL_SIZES if packing == "channels" else options.images:
                cells.add(packing, images)
        result = cells.finish()
    pathlib.Path(options.json).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
