"""Write the API pages to `site/`: `python docs/build.py [FOLDER]` (needs `pip install pdoc`).

Everything public outside the app is shown, from its docstrings; their examples run in the tests.
`import explorer` offers the most used names of these modules directly.
"""

import pkgutil
import sys
from pathlib import Path

LEFT_OUT = ("explorer.app", "explorer.cli", "explorer.jobs.worker")
"""Not an API: the Streamlit pages, the command line and the worker's entry point."""


def module_specs() -> list[str]:
    """Return what pdoc is to show: each module of `explorer` with all below it, less LEFT_OUT."""
    import explorer

    names = [f"explorer.{module.name}" for module in pkgutil.iter_modules(explorer.__path__)]
    shown = [name for name in names if name not in LEFT_OUT]
    return shown + [f"!{name}" for name in LEFT_OUT]


def build(folder: Path) -> None:
    """Render every documented module as HTML under `folder`."""
    import pdoc

    pdoc.render.configure(docformat="markdown", search=True)
    pdoc.pdoc(*module_specs(), output_directory=folder)


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
