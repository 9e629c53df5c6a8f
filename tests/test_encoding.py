"""Text is read and written in UTF-8 everywhere, also where the system's own encoding is another."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [
    path
    for name in ("explorer", "tests", "pretrained", "docs")
    for path in ROOT.joinpath(name).rglob("*.py")
]
PLACE = {"read_text": 0, "write_text": 1, "open": 3, "fdopen": 3}
"""Calls that take an encoding, with its place among the arguments."""


def without_encoding(source):
    """Return the lines of calls that leave the encoding to the system."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", None))
        if name == "open" and isinstance(node.func, ast.Attribute):
            continue  # Of an archive, a store, a page: of no file here.
        if name not in PLACE or len(node.args) > PLACE[name]:
            continue
        keywords = {keyword.arg: keyword.value for keyword in node.keywords}
        mode = keywords.get("mode", node.args[1] if len(node.args) > 1 else None)
        given = str(mode.value) if isinstance(mode, ast.Constant) else ""
        is_binary = name.endswith("open") and "b" in given
        if "encoding" not in keywords and None not in keywords and not is_binary:
            found.append(node.lineno)
    return found


def test_no_call_leaves_the_encoding_to_the_system():
    """Ruff's rule for it, PLW1514, sees only paths that are made in the same expression."""
    found = {path: without_encoding(path.read_text(encoding="utf-8")) for path in SOURCES}
    told = [f"{path.relative_to(ROOT)}:{line}" for path in SOURCES for line in found[path]]
    assert told == [] and len(SOURCES) > 200


def test_such_calls_are_found():
    source = (
        "open(path)\n"
        "open(path, 'rb')\n"
        "open(path, encoding='utf-8')\n"
        "path.read_text()\n"
        "path.read_text('utf-8')\n"
        "path.write_text(\n    text)\n"
        "path.write_text(text, encoding='utf-8')\n"
        "os.fdopen(1, 'w')\n"
        "store.open('run')\n"
    )
    assert without_encoding(source) == [1, 4, 6, 9]
