"""A room's ES modules as one script: one request in place of seventy, one after the other."""

import hashlib
import posixpath
import re
from functools import partial
from pathlib import Path
from typing import BinaryIO

from explorer.browser import ASSETS
from explorer.errors import ExplorerError
from explorer.files import make_folder, replace_file

WORKER_ENTRY = "model/worker.js"
ROOMS = ("map", "lens")
"""Rooms whose `main.js` Streamlit mounts, and which import from others."""

_IMPORT = re.compile(
    r'^import\s+(?:(\*\s+as\s+\w+)|\{([^}]*)\})\s+from\s+"(\.{1,2}/[\w./-]+)";\s*$', re.M
)
_EXPORT = re.compile(r"^export\s+(?:const|let|async function|function\*?|class)\s+(\w+)", re.M)
_DEFAULT = re.compile(r"^export default (?=function (\w+))", re.M)


def publish_bundles(folder: Path) -> Path:
    """Write what Streamlit mounts, and the worker, below `folder`; return the folder they are in.

    It is named by their content, so that a browser may keep them, and they lie in it as in the
    rooms: `map/main.js` starts its worker at `../model/worker.js`. Raises ExplorerError where
    nothing can be written.
    """
    scripts = {f"{room}/main.js": bundle_component(room) for room in ROOMS}
    scripts[WORKER_ENTRY] = bundle_modules(WORKER_ENTRY)
    digest = hashlib.sha256("".join(scripts.values()).encode()).hexdigest()
    place = folder / digest[:16]
    for name, script in scripts.items():
        if not (place / name).is_file():
            make_folder((place / name).parent)
            replace_file(place / name, partial(_write, script))
    return place


def _write(script: str, stream: BinaryIO) -> None:
    stream.write(script.encode())


def bundle_component(room: str) -> str:
    """Return a room's `main.js` and all that it imports as one ES module: its default export."""
    entry = f"{room}/main.js"
    return f'{bundle_modules(entry)}\nexport default modules["{entry}"].default;\n'


def bundle_modules(entry: str, folder: Path = ASSETS) -> str:
    """Return `entry` and all that it imports as one classic script.

    Modules are named by their path below `folder`. Knows the import and export forms that our own
    modules use: named and namespace imports by relative path at the top, exported declarations, a
    function by default.
    """
    order: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in order:
            return
        if name in above:
            raise ExplorerError(f"The browser modules import each other in a circle: {name}.")
        for match in _IMPORT.finditer(_read_module(folder, name)):
            visit(_resolve(match.group(3), name), (*above, name))
        order.append(name)

    visit(entry, ())
    parts = ['"use strict";', "const modules = {};"]
    for name in order:
        source = _read_module(folder, name)
        exported = _EXPORT.findall(source)
        exported += [f"default: {given}" for given in _DEFAULT.findall(source)]
        body = _IMPORT.sub(partial(_rewrite_import, name), source)
        body = _DEFAULT.sub("", body)
        body = re.sub(r"^export\s+(?=const|let|async|function|class)", "", body, flags=re.M)
        if re.search(r"^\s*(import|export)\b(?!\()", body, re.M):
            raise ExplorerError(f"{name} uses an import or export that cannot be bundled.")
        parts.append(
            f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {", ".join(exported)} }};\n}})();'
        )
    return "\n".join(parts)


def _read_module(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def _resolve(module: str, importer: str) -> str:
    """Return the path below the folder of what `importer` calls `module`, such as `../dom.js`."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), module))
    if path.startswith("../"):
        raise ExplorerError(f"{importer} imports {module}, which lies outside the page's folder.")
    return path


def _rewrite_import(importer: str, match: re.Match[str]) -> str:
    namespace, names, module = match.groups()
    module = _resolve(module, importer)
    if namespace:
        return f'const {namespace.split()[-1]} = modules["{module}"];'
    return f'const {{ {names.strip().replace(" as ", ": ")} }} = modules["{module}"];'
