"""The layers: imports point downwards only, and the core starts without what it does not need."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import explorer

PACKAGE = Path(explorer.__file__).parent
LAYERS = [
    {"config", "errors", "paths", "files", "codes", "browser"},
    {"datasets"},
    {"models"},
    {"objectives", "remedies"},
    {"run", "writer", "control", "store", "checkpoint", "evaluation", "sweeps"},
    {"training"},
    {"analysis"},
    {"figures", "export"},
    {"cli", "commands"},
    {"app"},
]
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}


def is_for_types_only(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def imports(tree):
    """Yield the modules that a file imports when it runs, at the top or inside functions."""
    for node in ast.iter_child_nodes(tree):
        if is_for_types_only(node):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, "Imports are absolute."
            yield node.module
            if node.module == "explorer":
                yield from (f"explorer.{alias.name}" for alias in node.names)
        yield from imports(node)


def files():
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts not in {("__init__",), ("__main__",)}:  # The façade and the door to the CLI.
            yield path, parts[0]


def found_imports():
    for path, home in files():
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            yield path.relative_to(PACKAGE), home, name


def test_every_module_has_its_layer():
    unknown = {home for _, home in files()} - set(RANK)
    assert not unknown, f"Give {unknown} a place in LAYERS and in DESIGN.md."


def test_imports_point_downwards():
    upwards = [
        f"{path}: {name}"
        for path, home, name in found_imports()
        if name.startswith("explorer.") and RANK[name.split(".")[1]] > RANK[home]
    ]
    assert upwards == []


@pytest.mark.parametrize("library", ["streamlit"])
def test_only_the_app_knows_streamlit(library):
    users = {
        str(path)
        for path, home, name in found_imports()
        if name.split(".")[0] == library and home != "app"
    }
    assert users == set()


def test_figures_know_neither_torch_nor_what_needs_it():
    needing = {"torch", "torchvision", "streamlit", "explorer.models", "explorer.training"}
    users = {
        f"{path}: {name}"
        for path, home, name in found_imports()
        if home == "figures" and any(name == n or name.startswith(n + ".") for n in needing)
    }
    assert users == set()


def run_blocked(libraries, code):
    """Run code in a fresh interpreter in which importing any of `libraries` fails."""
    blocker = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {set(libraries)!r}:\n"
        "            raise ImportError(f'{name} is blocked in this test')\n"
        "sys.meta_path.insert(0, Blocked())\n"
    )
    command = [sys.executable, "-c", blocker + code]
    answer = subprocess.run(
        command, capture_output=True, text=True, cwd=PACKAGE.parent, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def modules_of(*homes):
    names = []
    for path, home in files():
        if home in homes:
            name = ".".join(["explorer", *path.relative_to(PACKAGE).with_suffix("").parts])
            names.append(name.removesuffix(".__init__"))
    return names


def test_the_core_runs_without_streamlit():
    homes = set(RANK) - {"app", "cli", "commands", "figures", "export"}
    names = modules_of(*homes)
    assert {"explorer.run", "explorer.training.loop", "explorer.datasets"} <= set(names)
    code = (
        f"import importlib; [importlib.import_module(name) for name in {names!r}]\n"
        "import sys; print('streamlit' in sys.modules)"
    )
    assert run_blocked({"streamlit"}, code) == "False"


def test_figures_are_drawn_without_torch():
    names = modules_of("figures")
    code = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    run_blocked({"torch", "torchvision", "streamlit"}, code)


def test_importing_the_package_and_the_run_is_light():
    code = (
        "import explorer, explorer.run, explorer.store, explorer.control, explorer.writer, sys\n"
        "explorer.open_run, explorer.Config, explorer.RunWriter\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'plotly', 'scipy', 'streamlit'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_blocked(set(), code) == "[]"


def test_every_exported_name_is_there():
    for name in explorer.__all__:
        assert getattr(explorer, name) is not None
    assert set(explorer.__all__) <= set(dir(explorer))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = explorer.nonsense
