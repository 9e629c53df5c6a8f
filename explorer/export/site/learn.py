"""The chapters of Learn as pages of a site: what their controls show is computed beforehand."""

import html
import json
import re
from collections.abc import Callable, Sequence

from explorer.export.learn import collapse, kl, latents, mixture, notation, reparameterise, sigma
from explorer.export.learn.chapter import Chapter, Control, caption
from explorer.export.learn.prose import write_prose
from explorer.export.site.shells import Place, frame_page
from explorer.figures.palette import role_variables
from explorer.text import say

CHAPTERS: dict[str, Callable[[], Chapter]] = {
    "latents": latents.make_chapter,
    "mixture": mixture.make_chapter,
    "kl": kl.make_chapter,
    "sigma": sigma.make_chapter,
    "reparameterise": reparameterise.make_chapter,
    "collapse": collapse.make_chapter,
    "notation": notation.make_chapter,
}
"""Chapters that need no server, in the order of the app's Learn page."""


_IMAGE = '<image href="{}" width="160" height="100" style="image-rendering: pixelated"/>'


def path_of(chapter: str) -> str:
    """Return where a chapter's page lies."""
    return f"learn/{chapter}.html"


def chapter_page(
    place: Place, languages: Sequence[str], chapter: Chapter, source: str, names: Sequence[str]
) -> str:
    """Return the page of a chapter as its controls stand at first.

    `source` is the data file of every stop, `names` are the chapters that the site has.
    """
    language = place.language
    shown = chapter.show(language, chapter.start)
    lines = "".join(
        _slot(line[1:], shown) if line.startswith("#") else line for line in chapter.lines(language)
    )
    question = write_prose(say(language, f"learn.{chapter.name}.question"))
    asked = html.escape(say(language, "learn.question"))
    sliders = "".join(_control(language, control) for control in chapter.controls)
    note = caption(language, "site.precomputed") if chapter.is_computed else ""
    body = (
        f'<p class="ahead">{_chapters(place, chapter.name, names)}</p>'
        f'<div id="learn" data-source="{place.top}{source}"><div class="chapter">'
        f'<div class="prose">{lines}</div>'
        f'<div class="figures"><div class="sliders">{sliders}</div>'
        f"{''.join(_slot(name, shown) for name in chapter.figures)}"
        f"{note}</div></div>"
        f"{''.join(_slot(name, shown) for name in chapter.below)}"
        f'<div class="question"><p><strong>{asked}</strong> {question}</p>'
        f"{_slot('answer', shown)}</div></div>"
    )
    title = say(language, f"learn.{chapter.name}.title")
    return frame_page(place, languages, title, title, body, ("learn.js",), "learn")


def pack_stops(chapter: Chapter, language: str) -> bytes:
    """Return what every stop shows, as JSON: pieces of HTML once each, and which belong to it."""
    pieces: dict[str, int] = {}
    stops = [
        {
            name: pieces.setdefault(piece, len(pieces))
            for name, piece in chapter.show(language, stop).items()
        }
        for stop in chapter.stops()
    ]
    return json.dumps({"pieces": list(pieces), "stops": stops}, ensure_ascii=False).encode()


def chapter_picture(chapter: Chapter) -> bytes | None:
    """Return the chapter's first figure as an SVG file, in the colours of the reader's theme.

    None for a chapter of formulas and tables alone.
    """
    figure = chapter.show("en", chapter.start)[chapter.figures[0]]
    if "<svg" in figure:
        drawn = figure[figure.index("<svg") : figure.index("</svg>")]
        head, _, inner = drawn.partition(">")
    elif sources := re.findall(r'src="(data:image[^"]+)"', figure):
        head, inner = '<svg viewBox="0 0 160 100"', _IMAGE.format(sources[-1])
    else:
        return None
    style = f"<style>{theme_styles()} text {{ font-family: system-ui, sans-serif; }}</style>"
    named = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{named}>{style}{inner}</svg>".encode()


def theme_styles() -> str:
    """Return the colours of roles as styles, for either theme."""
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {role_variables(True)} }} }}"
    return f":root {{ {role_variables(False)} }} {dark}"


def _slot(name: str, shown: dict[str, str]) -> str:
    return f'<div data-slot="{name}">{shown[name]}</div>'


def _control(language: str, control: Control) -> str:
    """Return what moves a control; a script reads its stops from `data-options`."""
    label = html.escape(say(language, control.label))
    options = html.escape(json.dumps(list(control.options)), quote=True)
    held = f'data-key="{control.key}" data-options="{options}"'
    if control.turns:
        if control.only_with:
            held += f' data-only-with="{"=".join(control.only_with)}"'
        return f'<button type="button" value="{control.start}" {held}>{label}</button>'
    role = f' class="role-{control.role}"' if control.role else ""
    if control.names:
        choices = "".join(
            f'<option value="{i}"{" selected" if i == control.start else ""}>{html.escape(name)}'
            "</option>"
            for i, name in enumerate(control.names(language))
        )
        return f"<label{role}><span>{label}</span><select {held}>{choices}</select></label>"
    return (
        f"<label{role}><span>{label} "
        f"<output>{html.escape(control.options[control.start])}</output></span>"
        f'<input type="range" min="0" max="{len(control.options) - 1}" value="{control.start}" '
        f"{held}></label>"
    )


def _chapters(place: Place, current: str, names: Sequence[str]) -> str:
    links = []
    for name in names:
        title = html.escape(say(place.language, f"learn.chapter.{name}"))
        here = ' aria-current="page"' if name == current else ""
        links.append(f'<a href="{place.home}{path_of(name)}"{here}>{title}</a>')
    return " ".join(links)
