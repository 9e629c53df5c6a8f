"""The made parts of README.md and docs/architecture.md: `python -m tests.readme` writes them."""

import ast
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from explorer.runs.run import Run

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "explorer"
README = ROOT / "README.md"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
SCRIPTS = {
    "brush": "A covered picture to uncover by hand.",
    "desk": "The table of runs.",
    "film": "A training as a stage, and its film.",
    "lab": "A sweep as one linked picture under the hand.",
    "site": "The pages of a site, which have no server: the map, the lens and what frames them.",
    "guide": "The guide that floats over the pages.",
    "menu": "The app's menu on a phone.",
    "theme": "The page is written anew when the reader's system turns dark or light.",
    "notebook": "The same map, lens and film as widgets of a notebook.",
    "opening": "What a page shows until it has come.",
    "present": "Every page on a projector.",
    "together": "What the lecturer shows to all who follow.",
    "charts": "Charts for those who do not see them.",
    "table": "Tables that are put in order by their columns.",
    "lens": "One image of a two-latent model on the ELBO page: q in the visitor's hand.",
    "map": "The latent map: how it is mounted, and what can be done with it.",
    "map/geometry": "Points and ways as numbers.",
    "map/panels": "What stands around the map.",
    "map/plane": "The plane, what lies on it, and the hand.",
    "map/scene": "What is shown, and how it is told.",
    "model": "The interpreter of a model; it knows nothing of a map.",
    "model/layers": "The layers that networks are made of: one file for each sort of work.",
    "model/likelihoods": "One file a likelihood, as in `explorer/models/likelihoods/`.",
    "shared": "What the map and the lens share.",
    "slider": "A slider that reports while it is dragged.",
    "timeline": "KL of each latent over a training or a sweep, with a playhead.",
}
"""What the rooms of the browser side are, which have no `__init__.py` to say it."""
NOT_OURS = {"__pycache__", "_shipped", "node_modules"}
"""Folders that tools make."""


def first_line(path: Path) -> str:
    """Return the sentence that a file says of itself first."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]
    for comment in re.findall(r"/\*\*(.*?)\*/", source, re.DOTALL):
        words = " ".join(re.sub(r"^\s*\*", "", line).strip() for line in comment.split("\n"))
        line = re.split(r"(?<=[.;])\s", words.strip())[0].rstrip(";")
        if not line.startswith("@"):
            return line
    return ""


def modules(folder: Path) -> list[Path]:
    """Return the modules that lie in a folder itself, of either language."""
    return sorted([*folder.glob("*.py"), *folder.glob("*.js")])


def layers() -> list[str]:
    """Return the names of the layers in pyproject.toml, from the errors up to the app."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (stack,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [name.strip() for layer in reversed(stack) for name in reversed(layer.split("|"))]


def rooms() -> list[Path]:
    """Return every folder below `explorer/` that holds modules, in the order of the layers.

    The package itself comes first; a room that no layer names comes last.
    """
    order = {name: place for place, name in enumerate(layers())}
    folders = {path.parent for suffix in ("py", "js") for path in PACKAGE.rglob(f"*.{suffix}")}
    kept = (folder for folder in folders if not NOT_OURS & set(folder.parts))

    def place(folder: Path) -> tuple[int, tuple[str, ...]]:
        parts = folder.relative_to(PACKAGE).parts
        return (order.get(parts[0], len(order)) if parts else -1), parts

    return sorted(kept, key=place)


def script_room(folder: Path) -> str:
    """Return what a room of the browser side is, as SCRIPTS has it."""
    return SCRIPTS.get(folder.relative_to(PACKAGE / "browser").as_posix(), "")


def file_map() -> str:
    lines = []
    for folder in rooms():
        lines += ["", f"### `{folder.relative_to(ROOT).as_posix()}/`", ""]
        door = folder / "__init__.py"
        if sentence := first_line(door) if door.is_file() else script_room(folder):
            lines += [sentence, ""]
        lines += [f"- `{path.name}` {first_line(path)}" for path in modules(folder) if path != door]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def tests_map() -> str:
    lines = ["| tests | of | files |", "|---|---|---|"]
    for folder in sorted({path.parent for path in (ROOT / "tests").rglob("test_*.py")}):
        room = PACKAGE / folder.relative_to(ROOT / "tests")
        # Tests that mirror no room say what they are of.
        of = first_line(folder / "__init__.py") or f"`{room.relative_to(ROOT).as_posix()}/`"
        names = ", ".join(path.stem.removeprefix("test_") for path in sorted(folder.glob("test_*")))
        lines.append(f"| `{folder.relative_to(ROOT).as_posix()}/` | {of} | {names} |")
    return "\n".join(lines)


def models_table() -> str:
    lines = [
        "| name | images | network | latents | likelihood | test ELBO | KL |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder in sorted((ROOT / "pretrained").glob("*/run.json")):
        info = Run(folder.parent).info
        assert info.dataset is not None
        recipe = (folder.parent / "recipe.toml").read_text(encoding="utf-8")
        model = tomllib.loads(recipe)["model"]
        result = info.best_results
        network = f"{model['network']} {'-'.join(str(units) for units in model['hidden'])}".strip()
        # A code without a density has a reconstruction, but neither KL nor ELBO.
        bound = f"{result['elbo']:.2f} | {result['kl']:.2f}" if "kl" in result else "none | none"
        lines.append(
            f"| `{folder.parent.name}` | {info.dataset.name} | {network} | "
            f"{info.latent_dim} | {model.get('likelihood', 'bernoulli')} | {bound} |"
        )
    return "\n".join(lines)


MADE: dict[Path, dict[str, Callable[[], str]]] = {
    README: {"models": models_table},
    ARCHITECTURE: {"file map": file_map, "tests": tests_map},
}
"""What is made, by the document and the name between whose marks it stands."""


def filled(document: Path) -> str:
    """Return a document's text with every made part as the files say now."""
    text = document.read_text(encoding="utf-8")
    for name, make in MADE[document].items():
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest[rest.index(f"<!-- end of {name} -->") :]
        text = f"{before}<!-- {name} -->\n{make()}\n{after}"
    return text


if __name__ == "__main__":
    for document in MADE:
        document.write_text(filled(document), encoding="utf-8")
