"""The browser modules: typed, small, nothing from elsewhere, in rooms that look one way."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from explorer.browser import ASSETS
from explorer.export.bundle import bundle_modules

MAY_IMPORT: dict[str, set[str]] = {
    "shared": set(),
    "model/likelihoods": {"shared"},
    "model/layers": {"shared"},
    "model": {"shared", "model/likelihoods", "model/layers"},
    "map/geometry": {"shared", "model"},
    "map/scene": {"shared", "model", "map/geometry"},
    "map/plane": {"shared", "model", "map/geometry", "map/scene"},
    "map/panels": {"shared", "model", "map/geometry", "map/scene", "map/plane"},
    "map": {"shared", "model", "map/geometry", "map/scene", "map/plane", "map/panels"},
    "lens": {"shared", "model"},
    "guide": {"shared"},
    "menu": {"shared"},
    "theme": {"shared"},
    "opening": {"shared"},
    "present": {"shared"},
    "together": {"shared"},
    "charts": {"shared"},
    "table": {"shared"},
    "brush": {"shared"},
    "slider": {"shared"},
    "timeline": {"shared", "film"},
    "desk": {"shared"},
    "film": {"shared"},
    "notebook": {"shared", "map", "map/scene", "lens", "film"},
    "lab": {"shared", "film"},
    "site": {"shared", "map", "lens"},
}
"""Room by room, what its modules may import besides their own neighbours, types included."""

ALONE = (
    "menu",
    "theme",
    "charts",
    "table",
    "brush",
    "slider",
    "desk",
)
"""Rooms of one script that imports nothing."""

FETCHES = ASSETS / "map" / "fetch.js"
"""The one module that may ask the server from which it came."""

MODULES = sorted(ASSETS.rglob("*.js"))


def room_of(path: Path) -> str:
    return path.parent.relative_to(ASSETS).as_posix()


IMPORT = r'^import\b[^"]*?"([^"]+)";$'
TYPE_IMPORT = r'\bimport\("([^"]+)"\)'


def imports_of(path: Path, pattern: str = IMPORT) -> list[Path]:
    """Return the files that a module imports when it runs; each is named by a relative path."""
    names = re.findall(pattern, path.read_text(encoding="utf-8"), re.M)
    assert all(name.startswith(("./", "../")) for name in names), names
    return [(path.parent / name).resolve() for name in names]


def run_tsc(*options: str) -> subprocess.CompletedProcess[str]:
    compiler = shutil.which("tsc")
    if compiler is None:
        message = "TypeScript is not installed: npm install --global typescript to check types."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    command = [compiler, "--project", str(ASSETS / "jsconfig.json"), *options]
    return subprocess.run(command, capture_output=True, text=True)


def test_jsdoc_types_hold() -> None:
    """Strictly, and in every file: there are no errors left that could be counted."""
    done = run_tsc("--noEmit", "--strict", "--listFiles")
    assert done.returncode == 0, done.stdout[-4000:]
    checked = {Path(line).resolve() for line in done.stdout.splitlines()}
    assert set(MODULES) <= checked
    excused = re.compile("@ts-(ignore|nocheck|expect-error)")
    assert not [path for path in MODULES if excused.search(path.read_text(encoding="utf-8"))]


def test_without_the_compiler_the_gate_fails_and_a_laptop_skips(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="TypeScript"):
        run_tsc()
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="TypeScript"):
        run_tsc()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ASSETS).as_posix())
def test_module_imports_only_rooms_that_it_may_know(path: Path) -> None:
    room = room_of(path)
    for imported in imports_of(path) + imports_of(path, TYPE_IMPORT):
        assert imported.is_file(), imported
        assert room_of(imported) in {room} | MAY_IMPORT[room], imported


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ASSETS).as_posix())
def test_module_is_small_and_asks_nobody(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    asks = set(re.findall(r"\b(eval|fetch|XMLHttpRequest|importScripts)\(", source))
    assert asks == ({"fetch"} if path == FETCHES else set())
    # Every `import(…)` stands in a comment and names a type.
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.S)
    assert not re.search(r"\bimport\(", code)
    assert len(source.splitlines()) <= 400


def test_what_asks_the_server_asks_beside_itself_and_is_in_no_saved_page() -> None:
    source = FETCHES.read_text(encoding="utf-8")
    assert re.findall(r"\bfetch\((.*)\);", source) == [
        "new URL(`../payload/${fingerprint}`, import.meta.url)"
    ]
    assert "fetch(" in bundle_modules("map/main.js")
    assert "fetch(" not in bundle_modules("map/standalone.js")


def test_no_module_reaches_itself_by_its_imports() -> None:
    done: set[Path] = set()

    def visit(path: Path, above: tuple[Path, ...]) -> None:
        assert path not in above, " → ".join(each.name for each in (*above, path))
        if path not in done:
            for imported in imports_of(path):
                visit(imported, (*above, path))
            done.add(path)

    for path in MODULES:
        visit(path, ())
    assert done == set(MODULES)


@pytest.mark.parametrize("room", ALONE)
def test_a_script_that_is_handed_over_as_text_stands_alone(room: str) -> None:
    assert [path.name for path in (ASSETS / room).rglob("*.js")] == ["main.js"]
    assert imports_of(ASSETS / room / "main.js") == []


def test_the_interpreter_knows_nothing_of_the_page() -> None:
    named = ("network.js", "model.js", "likelihood.js", "prior.js")
    paths = [ASSETS / "model" / name for name in named]
    for room in ("likelihoods", "layers"):
        paths += (ASSETS / "model" / room).glob("*.js")
    for path in paths:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(document|window)\.", source), path.name
