"""Write the API pages to `site/`: `python docs/build.py [FOLDER]` (needs `pip install pdoc`).

Everything public outside the app is shown, from its docstrings; their examples run in the tests.
`import explorer` offers the most used names of these modules directly.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

LEFT_OUT = ("explorer.app", "explorer.cli", "explorer.jobs.worker")
"""Not an API: the Streamlit pages, the command line and the worker's entry point."""


def module_names() -> list[str]:
    """Return the dotted names of all modules below `explorer`, less LEFT_OUT and what is in it."""
    import explorer

    names = []
    for package in explorer.__path__:
        for path in Path(package).rglob("*.py"):
            parts = path.relative_to(package).with_suffix("").parts
            names.append(".".join(["explorer", *parts]).removesuffix(".__init__"))
    return sorted(name for name in names if name != "explorer" and not name.startswith(LEFT_OUT))


def module_specs() -> list[str]:
    """Return what pdoc is to show.

    Each room of `explorer` with all below it; modules that it would hide, since their package has
    an `__all__` that does not name them, each by itself; then LEFT_OUT, which is not shown.
    """
    import pdoc.extract

    specs: list[str] = []
    shown: set[str] = set()
    for name in module_names():  # A package comes before what is in it.
        if name not in shown:
            specs.append(name)
            shown |= set(pdoc.extract.walk_specs([name]))
    return [*specs, *(f"!{name}" for name in LEFT_OUT)]


def load_names(specs: Sequence[str]) -> None:
    """Load what a package offers by `__getattr__` alone: pdoc looks for it in the package."""
    import pdoc.extract

    for name in pdoc.extract.walk_specs(specs):
        module = import_module(name)
        for public in getattr(module, "__all__", ()):
            vars(module).setdefault(public, getattr(module, public))


def build(folder: Path, specs: Sequence[str]) -> None:
    """Render what `specs` name as HTML under `folder`."""
    import pdoc

    load_names(specs)
    pdoc.render.configure(docformat="markdown", search=True)
    pdoc.pdoc(*specs, output_directory=folder)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"), module_specs())
