#!/usr/bin/env python3
"""Checks that every link of a document to a file of the repository leads somewhere, and its anchor too, if it has one; that
every file under results/ that a document names is there; and that every file that is there is named by a document, or is one
that a table in a document is made from.

Names may have stars, and words in capitals that stand for a part of a name (results/training/table/ROW-sSEED.json). A folder
is not a file: it names nothing.
"""
import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(text):
    """Those that a heading gets where Markdown is shown: lower case, words joined by hyphens."""
    return {re.sub(r"[^\w\- ]", "", m.group(1).lower()).strip().replace(" ", "-")
            for m in re.finditer(r"^#+ +(.*)$", text, re.M)}


def faults(root):
    documents = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md"),
                 *(root / "integrations").rglob("*.md")]
    for page in sorted(documents):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for target in LINK.findall(line):
                if re.match(r"[a-z]+:", target):
                    continue
                path, _, anchor = target.partition("#")
                there = page.parent / path if path else page
                where = f"{page.relative_to(root)}:{number}"
                if not there.exists():
                    yield f"{where}: {path} does not exist"
                elif anchor and anchor not in anchors(there.read_text(encoding="utf-8")):
                    yield f"{where}: {path} has no heading '{anchor}'"


# What the tables in the documents are made from (tools/*_table.py writes and checks them).
TABLES = ("results/blocks/*.json", "results/networks/*.json", "results/peers/*.json", "results/fhe-benchmarking/*.json", "results/bench/*.json", "results/training/table/*.json",
          "results/training/plan/*.json", "results/training/run/*.json", "results/training/ablation/*.json",
          *(f"results/{name}{kind}.json" for name in ("digits", "mnist", "pneumonia", "cifar10")
            for kind in ("", "-bench")), "results/pneumonia-full-batch.json", "results/pneumonia-train-split.json")
RESULT = re.compile(r"results/[\w./*-]+\.(?:json|csv)")


def result_faults(root):
    documents = [*root.glob("*.md"), *(root / "docs").rglob("*.md"), *(root / "examples").rglob("*.md"),
                 *(root / "integrations").rglob("*.md")]
    there = sorted(p.relative_to(root).as_posix() for p in (root / "results").rglob("*") if p.is_file())
    patterns = list(TABLES)
    for page in sorted(documents):
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            for name in RESULT.findall(line):
                pattern = re.sub("[A-Z]{3,}", "*", name)
                if not fnmatch.filter(there, pattern):
                    yield f"{page.relative_to(root)}:{number}: there is no {name}"
                patterns.append(pattern)
    for path in there:
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns):
            yield f"{path}: no document names it; name it where it is used, or remove it"


def main():
    found = [*faults(ROOT), *result_faults(ROOT)]
    print("\n".join(found) or "check_links: every link leads somewhere, and every result is used")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
