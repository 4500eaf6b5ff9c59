#!/usr/bin/env python3
"""Writes the tables of docs/results-training.md from results/training/table/*.json (tools/train_table.sh made them),
results/training/plan/*.json and results/training/run/*.json (tools/run_rows.sh), and results/training/ablation/*.json
(tools/train_ablation.sh).

Every table stands between <!-- table: PREFIX --> and <!-- /table -->: a line a row whose name begins with PREFIX, with
mean and deviation (over n - 1) over the seeds. <!-- plans: PREFIX --> holds what the planner and an encrypted run of the
row's first seed say, <!-- ablation --> the ablation of the recipe best, <!-- targets --> what
was to be reached and was.

  tools/training_table.py            rewrites the page
  tools/training_table.py --check    exit code 1 where the page is not what the files say, or a row that can be encrypted
                                     has no plan
"""
import json
import pathlib
import re
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results-training.md"
TRAINING = ROOT / "results" / "training"
TABLE = TRAINING / "table"
VARIANTS = ["best", "no-transition", "no-distillation", "no-averaging", "no-range-penalty", "no-rounding",
            "no-class-weights", "layerwise", "channel", "feature-matching", "smooth-neighbours", "longer"]
ORDER = ["relu", "square", "layer", "channel", "element", "element-kd", "direct", "transition", "transition-kd",
         "channel-best", "element-best", "best", "element-tamed"]


def runs_of(row):
    found = []
    for path in sorted(TABLE.glob(f"{row}-s*.json")):
        if re.fullmatch(r"\d+", path.stem[len(row) + 2:]):
            found.append(json.loads(path.read_text()))
    return found


def spread(values, factor=1.0, digits=2):
    values = [factor * v for v in values if v is not None]
    if not values:
        return "-"
    text = f"{statistics.mean(values):.{digits}f}"
    return text + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "")


def line(variant, runs):
    test = [r["test"] for r in runs]
    seconds = statistics.mean(r["seconds"] for r in runs)
    epochs = statistics.mean(len(r["history"]) for r in runs)
    return (f"| {variant} | {spread([t['accuracy'] for t in test], 100)} | {spread([t['macro_f1'] for t in test], 100)} "
            f"| {spread([t.get('auc') for t in test], 100)} | {len(runs)} | {epochs:.0f} | {seconds / epochs:.1f} |")


def table(prefix):
    variants = rows_of(prefix)
    lines = ["| row | accuracy, % | macro F1, % | AUC, % | seeds | epochs | seconds an epoch |", "|---|---|---|---|---|---|---|"]
    lines += [line(v, runs_of(f"{prefix}-{v}")) for v in variants]
    return "\n".join(lines) if variants else "Not trained yet."


def rows_of(prefix):
    names = {re.sub(r"-s\d+$", "", p.stem) for p in TABLE.glob(f"{prefix}-*.json")}
    return sorted((n[len(prefix) + 1:] for n in names), key=lambda v: (ORDER.index(v) if v in ORDER else 99, v))


def size(count):
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def plans(prefix):
    lines = ["| row | N | limbs | log2(QP) | predicted precision, bits | memory | clear, % | encrypted, % | agreement, % "
             "| a slot |", "|---|---|---|---|---|---|---|---|---|---|"]
    for variant in rows_of(prefix):
        for planned in sorted((TRAINING / "plan").glob(f"{prefix}-{variant}-s*.json"))[:1]:
            plan = json.loads(planned.read_text())["result"]
            run = TRAINING / "run" / planned.name
            measured = "not run |  |  |"
            if run.exists():
                r = json.loads(run.read_text())["result"]
                slot = 1e3 * r["seconds"]["evaluate"] / r.get("images_per_batch", r["slots"]) / r.get("batches", 1)
                measured = (f"{100 * r['accuracy_clear']:.2f} | {100 * r['accuracy_encrypted']:.2f} "
                            f"| {100 * r['agreement']:.2f} | {slot:.3g} ms")
            params = plan["params"]
            limbs = len(params["prime_bits"]) - params["special_primes"]
            lines.append(f"| {variant} | {params['ring_dimension']} | {limbs} | {params['log2_qp']:.0f} "
                         f"| {plan['precision_bits']:.1f} | {size(plan['memory']['peak_bytes'])} | {measured} |")
    return "\n".join(lines) if len(lines) > 2 else "Not planned yet."


def ablation():
    """Beside the figures, what a variant changes: seeds share their teacher, so that a difference of one seed says more."""
    def runs(variant):
        return {p.stem.rsplit("-s", 1)[1]: json.loads(p.read_text())["test"]
                for p in sorted((TRAINING / "ablation").glob(f"{variant}-s*.json"))}

    lines = ["| variant | accuracy, % | macro F1, % | AUC, % | seeds | accuracy against best, same seed |", "|---|---|---|---|---|---|"]
    best = runs("best")
    for variant in VARIANTS:
        if not (tests := runs(variant)):
            continue
        changes = [100 * (t["accuracy"] - best[seed]["accuracy"]) for seed, t in tests.items() if seed in best]
        change = "" if variant == "best" or not changes else f"{statistics.mean(changes):+.2f}" + (
            f" ± {statistics.stdev(changes):.2f}" if len(changes) > 1 else "")
        lines.append(f"| {variant} | {spread([t['accuracy'] for t in tests.values()], 100)} "
                     f"| {spread([t['macro_f1'] for t in tests.values()], 100)} "
                     f"| {spread([t.get('auc') for t in tests.values()], 100)} | {len(tests)} | {change} |")
    return "\n".join(lines) if len(lines) > 2 else "Not trained yet."


def hours():
    """Core hours of the runs in the table, by data set and network: threads times seconds of training."""
    spent = {}
    for path in sorted(TABLE.glob("*.json")) + sorted((TRAINING / "ablation").glob("*.json")):
        run = json.loads(path.read_text())
        group = "ablation of best" if path.parent != TABLE else re.sub(r"^((?:covid-)?[^-]+)-([^-]+)-.*", r"\1, \2", path.stem)
        count, seconds = spent.get(group, (0, 0.0))
        spent[group] = (count + 1, seconds + run["seconds"] * run.get("threads", 1))
    lines = ["| data, network | runs | core hours |", "|---|---|---|"]
    lines += [f"| {group} | {count} | {seconds / 3600:.1f} |" for group, (count, seconds) in spent.items()]
    total = [sum(v[i] for v in spent.values()) for i in (0, 1)]
    return "\n".join(lines + [f"| all | {total[0]} | {total[1] / 3600:.1f} |"])


def speeds():
    """Images a second of training, beside a loop of libtorch alone."""
    lines = ["| network | activation | libtorch alone | velum train | of it |", "|---|---|---|---|---|"]
    for run in json.loads((TRAINING / "speed.json").read_text())["result"]["networks"]:
        lines.append(f"| {run['network']} | {run['activation']} | {run['plain_images_per_second']:.0f} "
                     f"| {run['velum_images_per_second']:.0f} | {100 * run['ratio']:.0f} % |")
    return "\n".join(lines)


def mean(row, what):
    """Over the seeds, in points; AUC too."""
    values = [100 * r["test"][what] for r in runs_of(row)]
    return statistics.mean(values) if values else None


def targets():
    """What the trainings were to reach, and what they did; a gap is a mean over the seeds less another."""
    accuracy, f1, auc = "accuracy", "macro_f1", "auc"

    def gap(row, other, *measures):
        return [mean(row, m) - mean(other, m) for m in measures]

    def shown(values):
        return ", ".join(f"{v:+.2f}" for v in values)

    lines = ["| data, network | to reach | reached | met |", "|---|---|---|---|"]

    def add(where, wanted, rows, judge):
        seeds = {len(runs_of(row)) for row in rows}
        if 0 in seeds:
            return
        reached, met = judge()
        count = "" if seeds == {3} else " (seeds: " + ", ".join(f"{len(runs_of(r))} of {r.rsplit(where[1])[-1].lstrip('-')}" for r in rows) + ")"
        lines.append(f"| {where[0]} | {wanted} | {reached}{count} | {'yes' if met else 'no'} |")

    def at_least(where, row, least):
        add(where, f"`{row}` at least {least} %", [f"{where[1]}-{row}"],
            lambda: (f"{mean(f'{where[1]}-{row}', accuracy):.2f} %", mean(f"{where[1]}-{row}", accuracy) >= least))

    def within(where, row, most, measures, names):
        rows = [f"{where[1]}-{row}", f"{where[1]}-relu"]
        add(where, f"`{row}` at most {most} below `relu` in {names}", rows,
            lambda: (shown(gap(*rows, *measures)), min(gap(*rows, *measures)) >= -most))

    def above(where, row, other, least, measures, names):
        rows = [f"{where[1]}-{row}", f"{where[1]}-{other}"]
        add(where, f"`{row}` at least {least} above `{other}` in {names}", rows,
            lambda: (shown(gap(*rows, *measures)), max(gap(*rows, *measures)) >= least))

    at_least(("MNIST, cryptonets", "mnist-cryptonets"), "element-kd", 99.2)
    at_least(("MNIST, lenet5", "mnist-lenet5"), "element-kd", 99.3)
    scnn = ("CIFAR-10, scnn", "cifar10-scnn")
    above(scnn, "element-kd", "channel", 1.65, [accuracy], "accuracy")
    within(scnn, "element-kd", 1.5, [accuracy], "accuracy")
    vgg = ("CIFAR-10, vgg", "cifar10-vgg")
    for row in ("channel-best", "element-best"):
        at_least(vgg, row, 88)
    for row in ("element-kd", "best"):
        within(("PneumoniaMNIST, lenet5", "pneumonia-lenet5"), row, 0.5, [accuracy, f1, auc], "accuracy, F1 and AUC")
    for where in (("COVID X-rays, alexnet", "covid-xray-alexnet"), ("COVID CT, alexnet", "covid-ct-alexnet")):
        for row in ("best", "best-taught"):
            for most in (0.32, 2):
                within(where, row, most, [accuracy, f1], "accuracy and F1")
    for where in (("COVID X-rays, squeezenet", "covid-xray-squeezenet"), ("COVID CT, squeezenet", "covid-ct-squeezenet")):
        above(where, "best", "direct", 7, [accuracy, f1], "accuracy or F1")
        within(where, "best", 0.5, [accuracy, f1], "accuracy and F1")
    return "\n".join(lines)


def filled(text):
    for name, make in (("table", table), ("plans", plans)):
        text = re.sub(rf"(<!-- {name}: (\S+) -->\n).*?(<!-- /{name} -->)",
                      lambda m, make=make: f"{m[1]}{make(m[2])}\n{m[3]}", text, flags=re.S)
    for name, make in (("ablation", ablation), ("hours", hours), ("speeds", speeds), ("targets", targets)):
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda m, make=make: f"{m[1]}{make()}\n{m[2]}", text, flags=re.S)
    return text


def unplanned(text):
    return [f"{prefix}-{variant}" for prefix in re.findall(r"<!-- plans: (\S+) -->", text) for variant in rows_of(prefix)
            if variant != "relu" and not any((TRAINING / "plan").glob(f"{prefix}-{variant}-s*.json"))]


def main():
    before = PAGE.read_text()
    after = filled(before)
    if "--check" in sys.argv[1:]:
        if missing := unplanned(before):
            sys.exit(f"no plan of {', '.join(missing)}; run tools/run_rows.sh ROW-s1")
        sys.exit(0 if before == after else f"{PAGE.name}: not what results/training says; run {sys.argv[0]}")
    PAGE.write_text(after)


if __name__ == "__main__":
    main()
