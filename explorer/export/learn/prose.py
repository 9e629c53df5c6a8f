"""Sentences of the catalogue → HTML: bold, italics, and symbols in the colour of their role."""

import html
import re

from explorer.export.learn.mathml import write_formula

_SYMBOL = re.compile(r"@(\w+)\[([^\]]*)\]|\$([^$]+)\$")


def write_prose(sentence: str) -> str:
    r"""Return a sentence with `**bold**`, `*italics*` and `@role[symbol]` or `$formula$` as HTML.

    >>> write_prose("**two** < 3")
    '<strong>two</strong> &lt; 3'
    """
    symbols: list[str] = []

    def keep(found: re.Match[str]) -> str:
        latex = found[3] or f"@{found[1]}{{{found[2]}}}"
        symbols.append(write_formula(latex, display=False))
        return f"\x00{len(symbols) - 1}\x00"

    text = html.escape(_SYMBOL.sub(keep, sentence), quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
    return re.sub(r"\x00(\d+)\x00", lambda found: symbols[int(found[1])], text)
