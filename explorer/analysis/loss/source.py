"""A paste as syntax: repaired where copying broke it, and what stands in it."""

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

from explorer.errors import ExplorerError

LONGEST = 40_000
"""Characters of a paste that are read."""
DEEPEST = 60
"""Nesting that is followed."""
SIGNS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "²": "**2", "“": '"', "”": '"',
    "‘": "'", "’": "'", "\u00a0": " ", "\t": "    ", "\u200b": "", "\ufeff": "", "½": "0.5",
}  # fmt: skip
CHANNELS_LAST = {"keras": "keras", "K": "keras", "ops": "keras", "tf": "tensorflow",
                 "tfd": "tensorflow", "tfp": "tensorflow", "tensorflow": "tensorflow",
                 "jnp": "jax", "jax": "jax", "optax": "jax"}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """The syntax of a paste, the lines that are no Python, and the library that it is written for.

    `library` is torch, keras, tensorflow or jax. `modules` are the names that imports define.
    """

    tree: ast.Module
    unread: tuple[str, ...]
    library: str
    modules: frozenset[str]
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    batched: frozenset[str] = frozenset()


def parse_source(text: str) -> Source:
    """Return a paste as syntax; nothing in it is executed. ExplorerError where nothing is code."""
    if len(text) > LONGEST:
        raise ExplorerError(
            f"That is {len(text):,} characters; paste the loss alone, at most {LONGEST:,}."
        )
    for sign, plain in SIGNS.items():
        text = text.replace(sign, plain)
    lines = [re.sub(r"^\s*(>>> ?|\.\.\. |In \[\d+\]: ?)", "", line) for line in text.splitlines()]
    tree, unread = _parse_lines(lines)
    if tree is None or not tree.body:
        raise ExplorerError("There is no Python in this; paste the lines that compute the loss.")
    if _depth(tree) > DEEPEST:
        raise ExplorerError("This code is nested too deeply; paste the loss alone.")
    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
    owners: dict[str, str] = {}
    for owner, node in _functions(tree):
        functions[node.name] = node
        owners[node.name] = owner
    batched = frozenset(
        name
        for name, node in functions.items()
        if any("vmap" in ast.unparse(decorator) for decorator in node.decorator_list)
    )
    return Source(tree, tuple(unread), _library(tree), _modules(tree), functions, owners, batched)


def _parse_lines(lines: list[str]) -> tuple[ast.Module | None, list[str]]:
    """Parse the lines, leaving out those that are no Python."""
    unread: list[str] = []
    for _ in range(25):
        text = "\n".join(lines)
        for attempt in (text, textwrap.dedent(text), "if True:\n" + _indent_first(text)):
            try:
                return _parse(attempt), unread
            except (SyntaxError, ValueError) as error:
                problem = error
            except (RecursionError, MemoryError):
                raise ExplorerError(
                    "This code is nested too deeply; paste the loss alone."
                ) from None
        place = _bad_line(lines, problem)
        if place is None:
            break
        if lines[place].strip():
            unread.append(lines[place].strip())
        lines = [*lines[:place], *lines[place + 1 :]]
    return None, unread


def _parse(text: str) -> ast.Module:
    """Parse without the warnings that Python has for odd literals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text)


def _bad_line(lines: list[str], problem: Exception) -> int | None:
    """Return the line to leave out: the one that the parser names in the dedented text."""
    try:
        _parse(textwrap.dedent("\n".join(lines)))
    except SyntaxError as error:
        if error.lineno is not None and lines:
            return min(max(error.lineno, 1), len(lines)) - 1
    except ValueError:
        return None
    return None


def _indent_first(text: str) -> str:
    """Indent by four where the first line lost the indentation that the others kept."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return text
    rest = [len(line) - len(line.lstrip()) for line in lines[1:]]
    if rest and not lines[0].startswith(" ") and min(rest) > 0:
        lines[0] = " " * min(rest) + lines[0]
    return textwrap.indent(textwrap.dedent("\n".join(lines)), "    ")


def _depth(tree: ast.AST) -> int:
    deepest, waiting = 0, [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest


def _functions(
    tree: ast.AST, owner: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield owner, node
            yield from _functions(node, owner)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, node.name)
        else:
            yield from _functions(node, owner)


def _modules(tree: ast.AST) -> frozenset[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names if alias.name.islower()}
    return frozenset(names)


def _library(tree: ast.AST) -> str:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first: ast.expr = node
            while isinstance(first, ast.Attribute):
                first = first.value
            if isinstance(first, ast.Name):
                found.append(first.id)
        elif isinstance(node, ast.Import):
            found += [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module.split(".")[0])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            keras = ("binary_crossentropy", "mean_squared_error", "mse")
            found += ["keras"] if node.func.id in keras else []
    if any(name in ("torch", "F") for name in found):
        return "torch"
    libraries = [CHANNELS_LAST[name] for name in found if name in CHANNELS_LAST]
    if "tensorflow" in libraries:
        return "tensorflow"
    return libraries[0] if libraries else "torch"
