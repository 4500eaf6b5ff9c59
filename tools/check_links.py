#!/usr/bin/env python3
"""Checks that every link of a document to a file of the repository leads somewhere, and its anchor too, if it has one."""
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


def main():
    found = list(faults(ROOT))
    print("\n".join(found) or "check_links: every link leads somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
