#!/usr/bin/env python3
"""Compares folders of ONNX networks with the outputs that other programs give them, and writes results/models.json.

  tools/check_models.py [--velum PROGRAM] [--exports FOLDER] [--models FOLDER] [--plan] [--json FILE]

  --exports FOLDER   networks with stored outputs: NAME/D.onnx or K.onnx, D.y.npy or K.y.npy, NAME/shape, x_SHAPE.npy
                     (default: VELUM_EXPORTS, or ../shared/exports)
  --models FOLDER    networks without, compared with ONNX Runtime: run this with the Python of a virtual environment that has
                     onnxruntime and numpy (default: VELUM_MODELS, or ../shared/models-real)
  --plan             also asks whether the polynomial ones are planned, with ranges from the same images

Every file is equal (to 1e-4 of its largest output), different, refused with a message, or read where there is nothing to
compare with. Exit code 1 where one is different, or refused for a reason that docs/operators.md does not know.
"""
import argparse
import csv
import datetime
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
IMAGES = 16
TOLERANCE = 1e-4


def folder_of(stated, variable, name):
    for place in (stated, os.environ.get(variable), ROOT.parent / "shared" / name):
        if place and pathlib.Path(place).is_dir():
            return pathlib.Path(place)
    return None


class Program:
    def __init__(self, path):
        self.path = path

    def run(self, *arguments):
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True)

    def outputs(self, model, images, folder):
        """What `velum eval` writes for these images, or the message that refuses them."""
        numpy.save(folder / "x.npy", images if images.dtype == numpy.uint8 else images.astype(numpy.float32))
        # What the file makes of these numbers, even where its first step looks like that of a network that takes bytes.
        stated = [] if images.dtype == numpy.uint8 else ["--input-range", "0,1"]
        run = self.run("eval", model, "--data", f"npy:{folder / 'x.npy'}", "--out", folder / "y.csv", *stated)
        if run.returncode:
            return None, run.stderr.strip().removeprefix("velum: ").replace(str(model), model.name)
        with open(folder / "y.csv", newline="") as file:
            rows = list(csv.reader(file))
        first = next(i for i, name in enumerate(rows[0]) if name.startswith("output_"))
        outputs = numpy.array([[float(v) for v in row[first:]] for row in rows[1:]])
        return outputs, ""

    def polynomial(self, model, folder):
        run = self.run("inspect", model, "--json", folder / "inspect.json")
        return run.returncode == 0 and json.loads((folder / "inspect.json").read_text())["can_be_encrypted"]

    def planned(self, model, folder):
        run = self.run("plan", model, "--calibrate", f"npy:{folder / 'x.npy'}", "--json", folder / "plan.json")
        return run.returncode == 0, run.stderr.strip().replace(str(model), model.name)


def verdict(mine, refusal, wanted):
    if mine is None:
        return {"verdict": "refused", "message": refusal}
    if wanted is None:
        return {"verdict": "read"}
    wanted = numpy.asarray(wanted, dtype=float).reshape(len(mine), -1)
    if wanted.shape != mine.shape:
        return {"verdict": "different", "message": f"{mine.shape[1]} outputs an image, {wanted.shape[1]} expected"}
    error = float(abs(mine - wanted).max() / max(abs(wanted).max(), 1e-30))
    return {"verdict": "equal" if error <= TOLERANCE else "different", "error": float(f"{error:.1e}")}


def exported(folder):
    """(model, images, outputs) of every exported network."""
    for place in sorted(p for p in folder.iterdir() if p.is_dir()):
        model = next(place.glob("*.onnx"))
        images = numpy.load(folder / f"x_{(place / 'shape').read_text().strip()}.npy")
        if place.name == "mlp_uint8":
            images = numpy.floor(images * 255).astype(numpy.uint8)
        stored = model.with_name(model.stem + ".y.npy")
        yield model, images, numpy.load(stored) if stored.exists() else None


def public(folder):
    """The same of public ones, by ONNX Runtime on the file as it is; no outputs where it cannot run the file."""
    import onnxruntime
    onnxruntime.set_default_logger_severity(4)
    for model in sorted(folder.rglob("*.onnx")):
        outputs, shape = None, None
        try:
            session = onnxruntime.InferenceSession(str(model))
            declared = session.get_inputs()[0]
            batch, *shape = [d if isinstance(d, int) else None for d in declared.shape]
            images = numpy.random.default_rng(20).random((IMAGES, *shape)).astype(numpy.float32)
            step = IMAGES if batch is None else batch
            if step <= IMAGES:
                parts = [session.run(None, {declared.name: images[i:i + step]})[0] for i in range(0, IMAGES, step)]
                outputs = numpy.concatenate([numpy.asarray(p).reshape(step, -1) for p in parts])
        except Exception:  # whatever it raises: nothing to compare with
            outputs = None
        if shape is None:
            import onnx
            value = onnx.load(model, load_external_data=False).graph.input[0]
            shape = [d.dim_value for d in value.type.tensor_type.shape.dim][1:]
        images = numpy.random.default_rng(20).random((IMAGES, *shape)).astype(numpy.float32)
        yield model, images, outputs


def check(program, name, networks, root, plan):
    files = []
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for model, images, wanted in networks:
            mine, refusal = program.outputs(model, images, place)
            row = {"file": str(model.relative_to(root)), **verdict(mine, refusal, wanted)}
            if mine is not None:
                row["polynomial"] = program.polynomial(model, place)
                if plan and row["polynomial"]:
                    row["planned"], message = program.planned(model, place)
                    if not row["planned"]:
                        row["plan_message"] = message
            files.append(row)
            print(f"{name}/{row['file']}: {row['verdict']} {row.get('message', '')}".rstrip(), flush=True)
    count = {v: sum(f["verdict"] == v for f in files) for v in ("equal", "different", "refused", "read")}
    return {"folder": name, **count, "files": files}


def known(message):
    """A refusal counts where it names an operator or a form that docs/operators.md speaks of."""
    return "node '" in message or "inputs" in message


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--velum", default="velum")
    parser.add_argument("--exports")
    parser.add_argument("--models")
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    program, sets = Program(options.velum), []
    if exports := folder_of(options.exports, "VELUM_EXPORTS", "exports"):
        sets.append(check(program, "exports", exported(exports), exports, options.plan))
    if models := folder_of(options.models, "VELUM_MODELS", "models-real"):
        sets.append(check(program, "models-real", public(models), models, options.plan))
    if not sets:
        print("no folders of networks")
        sys.exit(77)
    command = "tools/check_models.py" + (" --plan" if options.plan else "")
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    result = {"command": command, "commit": commit, "date": date, "tolerance": TOLERANCE, "images": IMAGES, "sets": sets}
    (pathlib.Path(options.json) if options.json else ROOT / "results" / "models.json").write_text(json.dumps(result, indent=1) + "\n")
    for s in sets:
        print(f"{s['folder']}: {s['equal']} equal, {s['different']} different, {s['refused']} refused, {s['read']} read alone")
    files = [f for s in sets for f in s["files"]]
    sys.exit(any(f["verdict"] == "different" or (f["verdict"] == "refused" and not known(f["message"])) for f in files))


if __name__ == "__main__":
    main()
