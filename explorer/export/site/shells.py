"""The HTML of a site's pages: each holds words and addresses; scripts and models lie beside it."""

import html
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from explorer.export.document import frame_document
from explorer.text import LANGUAGES, say, sentences

POLICY = (
    "default-src 'none'; script-src 'self' file: blob:; worker-src blob:; "
    "style-src 'self' file: 'unsafe-inline'; img-src 'self' file: data: blob:; "
    "frame-src 'self' file:; "
    "base-uri 'none'; form-action 'none'"
)
"""Scripts of the site itself and nothing from elsewhere; a page from the disk has no 'self'."""


@dataclass(frozen=True)
class Place:
    """Where a page lies: its language, its path below that, and where the site begins from it."""

    language: str
    path: str
    is_first: bool
    """Whether the language is the site's first, whose pages lie at the top."""

    @property
    def file(self) -> str:
        """The page's path below the site's folder."""
        return self.path if self.is_first else f"{self.language}/{self.path}"

    @property
    def top(self) -> str:
        """The relative address of the site's folder, with a slash, or nothing."""
        return "../" * self.file.count("/")

    @property
    def home(self) -> str:
        """The relative address of the folder in which the language begins."""
        return "../" * self.path.count("/")


@dataclass(frozen=True)
class Card:
    """What a start page shows of one thing: picture, name, a line, and links (address, name)."""

    name: str
    facts: str
    picture: str | None
    links: Sequence[tuple[str, str]]


def slug(name: str) -> str:
    """Return a name as one part of an address; ids are letters, digits, dots and dashes already."""
    return name.replace("/", "--")


def start_page(
    place: Place,
    languages: Sequence[str],
    title: str,
    cards: Sequence[Card],
    credits: Sequence[str],
    ahead: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the page that a visitor meets first; `ahead` are links above the cards."""
    found = "\n".join(_card(card) for card in cards)
    text = html.escape(say(place.language, "site.lede"))
    foot = "".join(map(_foot, credits))
    above = f'<p class="ahead">{_links(ahead)}</p>\n' if ahead else ""
    body = f'<p class="lede">{text}</p>\n{above}<div class="cards">\n{found}\n</div>\n{foot}'
    return frame_page(place, languages, title, title, body, ())


def map_page(
    place: Place,
    languages: Sequence[str],
    name: str,
    source: str,
    members: Sequence[str],
    credit: str,
    report: str | None,
) -> str:
    """Return the page of a model's map; `source` and `members` are data files below the site."""
    sources = " ".join(place.top + member for member in members)
    body = _stage(place, f'id="explorer" class="lx" data-members="{sources}"', source, credit)
    lede = "site.sweep_lede" if members else "site.map_lede"
    return frame_page(
        place, languages, name, name, body, ("worker.js", "explore.js"), "explore", lede, report
    )


def lens_page(place: Place, languages: Sequence[str], name: str, source: str, credit: str) -> str:
    """Return the page of one image under the lens."""
    body = _stage(place, 'id="lens" class="lx lens"', source, credit)
    return frame_page(place, languages, name, name, body, ("lens.js",), "lens", "site.lens_lede")


def words_script(language: str, prefix: str) -> str:
    """Return the script that hands a page its sentences, those below `prefix` and the site's."""
    words = {**sentences(language, prefix), **sentences(language, "site.page.")}
    return f"globalThis.latentText = {json.dumps(words, ensure_ascii=False)};\n"


def _stage(place: Place, attributes: str, source: str, credit: str) -> str:
    """Return the place where a script draws what a data file holds, and whose its pictures are."""
    waiting = _escaped(place.language, "site.waiting")
    return (
        f'<div {attributes} data-source="{place.top}{source}">'
        f'<p class="waiting">{waiting}</p></div>'
        f"{_foot(credit) if credit else ''}"
    )


def _foot(credit: str) -> str:
    return f'\n<footer lang="en">{html.escape(credit)}</footer>'


def _links(links: Sequence[tuple[str, str]]) -> str:
    return " ".join(
        f'<a href="{html.escape(address, quote=True)}">{html.escape(name)}</a>'
        for address, name in links
    )


def _card(card: Card) -> str:
    picture = "" if card.picture is None else f'<img src="{card.picture}" alt="" loading="lazy">'
    first = html.escape(card.links[0][0], quote=True)
    return (
        f'<article><a class="picture" href="{first}" tabindex="-1" aria-hidden="true">{picture}</a>'
        f"<h2>{html.escape(card.name)}</h2><p>{html.escape(card.facts)}</p>"
        f'<p class="links">{_links(card.links)}</p></article>'
    )


def frame_page(
    place: Place,
    languages: Sequence[str],
    title: str,
    heading: str,
    body: str,
    scripts: Sequence[str],
    room: str | None = None,
    lede: str | None = None,
    report: str | None = None,
) -> str:
    """Return a page: its header with the languages, and the scripts that its body waits for."""
    loaded = [f"assets/words-{room}.{place.language}.js"] if room else []
    loaded += [f"assets/{script}" for script in scripts]
    sources = " ".join(f"{place.top}{script}" for script in loaded)
    boot = f'<script defer src="{place.top}assets/boot.js" data-scripts="{sources}"></script>'
    head = _HEAD.format(style=f"{place.top}assets/style.css", scripts=boot if loaded else "")
    within = _BODY.format(
        header=_header(place, languages, heading, bool(scripts), report),
        lede=f'<p class="lede">{html.escape(say(place.language, lede))}</p>' if lede else "",
        body=body,
    )
    return frame_document(place.language, POLICY, f"{title} · Latent Explorer", head, within)


def _header(
    place: Place, languages: Sequence[str], heading: str, is_scene: bool, report: str | None
) -> str:
    say_here = partial(_escaped, place.language)
    parts = []
    if place.path != "index.html":
        parts.append(f'<a href="{place.home}index.html">{say_here("site.all")}</a>')
    if report:
        parts.append(f'<a href="{html.escape(report, quote=True)}">{say_here("site.why")}</a>')
    for language in languages:
        if language != place.language:
            other = Place(language, place.path, language == languages[0])
            parts.append(
                f'<a lang="{language}" hreflang="{language}" href="{place.top}{other.file}">'
                f"{html.escape(LANGUAGES[language])}</a>"
            )
    if is_scene:
        copy = say_here("site.page.iframe")
        parts.append(f'<button type="button" data-action="copy-iframe">{copy}</button>')
    return f"<h1>{html.escape(heading)}</h1><nav>{' '.join(parts)}</nav>"


def _escaped(language: str, key: str) -> str:
    return html.escape(say(language, key))


_HEAD = """<link rel="icon" href="data:,">
<link rel="stylesheet" href="{style}">
{scripts}"""
_BODY = """<header class="site">{header}</header>
<main>
{lede}
{body}
</main>"""
