"""What the import contracts in pyproject.toml cannot say: what starts without what it needs not."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import explorer

PACKAGE = Path(explorer.__file__).parent
ABOVE_THE_CORE = {"app", "cli", "commands", "figures", "export"}
EXPORTED = [
    "Config",
    "ExplorerError",
    "RunWriter",
    "adopt",
    "default_config",
    "diagnose",
    "diagnose_codes",
    "load_dataset",
    "open_run",
    "read_images",
    "runs_folder",
    "train",
]


def modules():
    """Yield every module's dotted name and its room, the façade and the doors left out."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts != ("__init__",) and parts[-1] != "__main__" and parts[0] != "_shipped":
            yield ".".join(["explorer", *parts]).removesuffix(".__init__"), parts[0]


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


def test_the_core_runs_without_streamlit():
    names = [name for name, room in modules() if room not in ABOVE_THE_CORE]
    assert {"explorer.runs.run", "explorer.training.loop", "explorer.datasets"} <= set(names)
    code = (
        f"import importlib; [importlib.import_module(name) for name in {names!r}]\n"
        "import sys; print('streamlit' in sys.modules)"
    )
    assert run_blocked({"streamlit"}, code) == "False"


def test_the_session_is_kept_by_the_session_and_the_parts_alone():
    # Views name what they keep (`app/parts/kept.py`), so that it has one type and one place.
    app = PACKAGE / "app"
    allowed = {app / "session.py", *(app / "parts").rglob("*.py")}
    users = {
        path
        for path in app.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "session_state" in {getattr(node, field, None) for field in ("attr", "id", "name")}
    }
    assert app / "session.py" in users
    assert sorted(path.relative_to(app).as_posix() for path in users - allowed) == []


def test_figures_are_drawn_without_torch():
    names = [name for name, room in modules() if room == "figures"]
    assert len(names) > 10
    code = f"import importlib; [importlib.import_module(name) for name in {names!r}]"
    run_blocked({"torch", "torchvision", "streamlit"}, code)


def test_importing_the_package_and_the_run_is_light():
    code = (
        "import explorer, sys\n"
        "from explorer.runs import control, run, store, writer\n"
        "explorer.open_run, explorer.Config, explorer.RunWriter\n"
        "heavy = {'torch', 'torchvision', 'sklearn', 'plotly', 'scipy', 'streamlit'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert run_blocked(set(), code) == "[]"


def test_the_exported_names_are_these():
    # A name that goes, or comes, is a change that users notice: CHANGELOG.md tells it.
    assert explorer.__all__ == EXPORTED


def test_every_exported_name_is_there():
    for name in explorer.__all__:
        assert getattr(explorer, name) is not None
    assert set(explorer.__all__) <= set(dir(explorer))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = explorer.nonsense
