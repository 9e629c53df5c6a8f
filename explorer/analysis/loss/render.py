"""Expressions back to code, in the library that the paste is written for."""

import re

from explorer.analysis.loss.algebra import Atom, Expr, Term
from explorer.analysis.loss.values import NotFollowed

FUNCTIONS = {
    "torch": {"exp": "torch.exp", "log": "torch.log", "abs": "torch.abs", "tanh": "torch.tanh",
              "sigmoid": "torch.sigmoid", "softplus": "torch.nn.functional.softplus",
              "softmax": "softmax", "relu": "torch.relu"},
    "keras": {"exp": "keras.ops.exp", "log": "keras.ops.log", "abs": "keras.ops.abs",
              "tanh": "keras.ops.tanh", "sigmoid": "keras.ops.sigmoid",
              "softplus": "keras.ops.softplus", "relu": "keras.ops.relu"},
    "tensorflow": {"exp": "tf.exp", "log": "tf.math.log", "abs": "tf.abs", "tanh": "tf.tanh",
                   "sigmoid": "tf.sigmoid", "softplus": "tf.nn.softplus", "relu": "tf.nn.relu"},
    "jax": {"exp": "jnp.exp", "log": "jnp.log", "abs": "jnp.abs", "tanh": "jnp.tanh",
            "sigmoid": "jax.nn.sigmoid", "softplus": "jax.nn.softplus", "relu": "jax.nn.relu"},
}  # fmt: skip


def render(expr: Expr, library: str) -> str:
    """Return an expression as code; NotFollowed where something in it has no name."""
    if not expr.terms:
        return "0.0"
    text = ""
    for term, factor in expr.terms:
        piece = _term(term, abs(factor), library)
        sign = "-" if factor < 0 else "+"
        text = (f"-{piece}" if sign == "-" else piece) if not text else f"{text} {sign} {piece}"
    return text


def in_brackets(text: str) -> str:
    """Return code that may stand before a power or a method."""
    simple = re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*|\[-?\d+\])*", text) is not None
    closed = text.endswith(")") and text[: text.index("(")].replace(".", "").isidentifier()
    return text if simple or (closed and _is_one_call(text)) else f"({text})"


def _is_one_call(text: str) -> bool:
    depth = 0
    for place, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and sign == ")" and place < len(text) - 1:
            return False
    return True


def _term(term: Term, factor: float, library: str) -> str:
    if term.summed:
        raise NotFollowed("sum")
    above = [_atom(atom, power, library) for atom, power in term.powers if power > 0]
    below = [_atom(atom, -power, library) for atom, power in term.powers if power < 0]
    if factor != 1 or not above:
        above = [f"{factor:.12g}", *above]
    text = " * ".join(above)
    if not below:
        return text
    divisor = in_brackets(below[0]) if len(below) == 1 else f"({' * '.join(below)})"
    return f"{text} / {divisor}"


def _atom(atom: Atom, power: float, library: str) -> str:
    if atom.kind == "exp":
        inner = render(atom.parts[0], library)
        if power != 1:
            inner = f"{power:g} * {in_brackets(inner)}"
        return f"{FUNCTIONS[library]['exp']}({inner})"
    if atom.kind in ("name", "noise", "symbol", "term"):
        text = str(atom.parts[0])
        if in_brackets(text) != text:
            raise NotFollowed(text)
    elif atom.kind == "square":
        text, power = in_brackets(render(atom.parts[0], library)), 2 * power
    elif atom.kind in ("base", "reduced"):
        text = f"({render(atom.parts[0], library)})"
    elif atom.kind in FUNCTIONS[library]:
        text = f"{FUNCTIONS[library][atom.kind]}({render(atom.parts[0], library)})"
    else:
        raise NotFollowed(atom.kind)
    return text if power == 1 else f"{text} ** {power:g}"
