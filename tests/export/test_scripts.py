"""The browser modules: typed, small, and without anything from elsewhere."""

import re
import shutil
import subprocess

import pytest

from explorer.app.parts.mount import ASSETS

MODULES = sorted(ASSETS.glob("*.js"))


def test_jsdoc_types_hold() -> None:
    compiler = shutil.which("tsc")
    if compiler is None:
        pytest.skip("TypeScript is not installed: npm install --global typescript to check types.")
    done = subprocess.run(
        [compiler, "--noEmit", "--project", str(ASSETS / "jsconfig.json")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_module_imports_only_its_neighbours(path) -> None:
    source = path.read_text(encoding="utf-8")
    imported = re.findall(r'from "([^"]+)"', source) + re.findall(r"\bimport\(([^)]*)\)", source)
    names = [name for name in imported if not name.startswith('"./')]
    assert all(name.startswith("./") and (ASSETS / name[2:]).is_file() for name in names)
    assert not re.search(r"\b(eval|fetch|XMLHttpRequest|importScripts)\(", source)
    assert len(source.splitlines()) < 450


def test_the_interpreter_knows_nothing_of_the_page() -> None:
    for name in ("layers.js", "network.js", "model.js", "likelihood.js", "payload.js"):
        source = (ASSETS / name).read_text(encoding="utf-8")
        assert not re.search(r"\b(document|window)\.", source), name
