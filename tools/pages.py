"""What the scripts that write tables into the documents share (tools/*_table.py)."""
import sys


def size(count):
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return ""


def with_tables(text, tables):
    """The page with each table between its marks: <!-- NAME --> and <!-- /NAME -->, from a function of that name."""
    for name, table in tables.items():
        marks = f"<!-- {name} -->", f"<!-- /{name} -->"
        begin, end = (text.index(m) for m in marks)
        text = text[:begin] + marks[0] + "\n" + table() + text[end:]
    return text


def write_or_check(wanted, script):
    """Writes {path: text}; with --check says which of them differ, and writes nothing. The exit code."""
    differ = [p for p, text in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if sys.argv[1:] == ["--check"]:
        for path in differ:
            print(f"{script}: {path.name} is not what the records say; run tools/{script}.py")
        return int(bool(differ))
    for path in differ:
        path.write_text(wanted[path], encoding="utf-8")
    return 0
