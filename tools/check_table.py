#!/usr/bin/env python3
"""Checks that models/table/ holds the small networks (under 2 MB) that docs/results-training.md stands on: the first seed of
every row, with its report in results/training/table/. Where VELUM_DATA names the folder of the data sets, each network
whose data is there (CIFAR-10 unpacked) is evaluated by `velum eval` and has to reach the accuracy of its report.

  tools/check_table.py [VELUM]     VELUM: the program (default: velum on the PATH)

Exit code 1 with a line for every fault, 77 where all is well but nothing could be evaluated for want of data.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = ROOT / "models" / "table"
REPORTS = ROOT / "results" / "training" / "table"
LIMIT = 2_000_000  # bytes of a file
ROUNDING = 2  # images that two programs' orders of summation may decide differently
SMALL = ("mnist-cryptonets", "mnist-lenet5", "cifar10-scnn", "pneumonia-lenet5")  # every row has its network here


def faults_of_files():
    """Names without their other half, and files that are too large."""
    for model in sorted(MODELS.glob("*")):
        report = REPORTS / f"{model.stem}.json"
        if model.suffix != ".onnx" or not report.exists():
            yield f"{model.relative_to(ROOT)}: there is no {report.relative_to(ROOT)}"
        elif model.stat().st_size >= LIMIT:
            yield f"{model.relative_to(ROOT)}: {model.stat().st_size} bytes, the limit is {LIMIT}"
    for report in sorted(REPORTS.glob("*-s1.json")):
        if report.name.startswith(SMALL) and not (MODELS / f"{report.stem}.onnx").exists():
            yield f"{report.relative_to(ROOT)}: its network is not in {MODELS.relative_to(ROOT)}"


def data_of(report):
    """The data set of the run's own command."""
    return report["command"].split(" --data ")[1].split()[0]


def is_there(data):
    """Whether `velum eval` can read it: CIFAR-10 has to be unpacked."""
    kind, _, path = os.path.expandvars(data).partition(":")
    if kind == "cifar10":
        return any((pathlib.Path(path) / folder / "test_batch.bin").exists() for folder in (".", "cifar-10-batches-bin"))
    return pathlib.Path(path).exists()


def fault_of(model, report, velum, data):
    """What the network reaches on the test split, against its report."""
    test = report["test"]
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "eval.json"
        run = subprocess.run([velum, "eval", str(model), "--data", data, "--json", str(out)], capture_output=True, text=True)
        if run.returncode:
            return f"{model.name}: velum eval: {run.stderr.strip()}"
        found = json.loads(out.read_text())
    right = [round(r["accuracy"] * r["images"]) for r in (found, test)]
    if found["images"] != test["images"] or abs(right[0] - right[1]) > ROUNDING:
        return f"{model.name}: {right[0]} of {found['images']} images right, its report has {right[1]} of {test['images']}"
    return None


def main():
    velum = sys.argv[1] if len(sys.argv) > 1 else "velum"
    faults, evaluated, absent = list(faults_of_files()), 0, set()
    models = sorted(MODELS.glob("*.onnx"))
    if not models:
        faults.append(f"{MODELS.relative_to(ROOT)}: no models")
    for model in models if not faults else []:
        report = json.loads((REPORTS / f"{model.stem}.json").read_text())
        data = data_of(report)
        if is_there(data):
            fault = fault_of(model, report, velum, os.path.expandvars(data))
            faults += [fault] if fault else []
            evaluated += 1
        else:
            absent.add(data)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(models)} models, {evaluated} evaluated" + "".join(f"; {data} is not there" for data in sorted(absent)))
    sys.exit(0 if evaluated else 77)


if __name__ == "__main__":
    main()
