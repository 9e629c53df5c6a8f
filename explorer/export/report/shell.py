"""What every report is set in: one HTML page without script or network, sections, colours."""

import html
import time
from collections.abc import Mapping, Sequence

from explorer.browser import read_styles
from explorer.export.document import frame_document
from explorer.figures.palette import DARK, LIGHT, Roles
from explorer.text import say


def fill_page(title: str, body: str, language: str) -> bytes:
    """Return a report's page: `body` is HTML, `title` is not."""
    style = read_styles("report")
    head = _HEAD.format(light=_colours(LIGHT), dark=_colours(DARK), style=style)
    return frame_document(language, _POLICY, title, head, f"<main>\n{body}\n</main>").encode()


def make_head(
    title: str, answer: str, facts: str, made: float, versions: Mapping[str, str], language: str
) -> str:
    """Return what a report begins with; `made` is in Unix seconds, nothing given is HTML."""
    date = time.strftime("%Y-%m-%d %H:%M", time.localtime(made))
    version = versions.get("latent-explorer", "")
    return (
        f'<header><p class="name">{html.escape(title)}</p>'
        f"<h1>{html.escape(keep_together(answer))}</h1>"
        f'<p class="facts">{html.escape(facts)}</p>'
        f'<p class="facts">{say(language, "report.made", date=date, version=version)}</p></header>'
    )


def keep_together(sentence: str) -> str:
    """Return a sentence in which no line ends between a letter and its value."""
    return sentence.replace(" = ", "\u00a0=\u00a0")


def make_section(title: str, inner: str, *words: str) -> str:
    """Return a section: `inner` is HTML, title and words are not."""
    caption = " ".join(html.escape(word) for word in words if word)
    told = f'<p class="caption">{caption}</p>' if caption else ""
    figure = f"<figure>{inner}</figure>" if inner.startswith(("<svg", "<img")) else inner
    return f"<section><h2>{html.escape(title)}</h2>{figure}{told}</section>"


def _colours(roles: Roles) -> str:
    named: Sequence[tuple[str, str]] = (
        ("text", roles.text), ("caption", roles.caption), ("ground", roles.ground),
        ("line", roles.grid), ("kl", roles.kl), ("z", roles.latent), ("beta", roles.beta),
        ("bar", roles.reconstruction), ("short", roles.gap),
    )  # fmt: skip
    return " ".join(f"--{name}: {colour};" for name, colour in named)


_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'"
)
_HEAD = """<style>
:root {{ color-scheme: light dark; {light} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}
{style}
</style>"""
