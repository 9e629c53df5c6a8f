"""The first frame: the document brings the page's sentence, and calls what the page will need.

Streamlit's own document is empty until a megabyte of scripts has run and the server has answered.
Ours shows at once what the page is about, and has the browser fetch meanwhile what Streamlit asks
for only later: its elements' scripts and the map's. Where the map is known that a page opens with,
it stands in the document: it can be used before Streamlit has come, and then moves to its page.
"""

import gzip
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from explorer.app.offers import OFFERS, OWNER, Offers
from explorer.app.parts.lede import LEDES, SKELETON, SKELETONS, write_lede
from explorer.app.parts.mount import COMPONENT, LENS, PACKAGE, find_scripts
from explorer.browser import read_styles
from explorer.export.bundle import bundle_modules
from explorer.figures.palette import role_variables
from explorer.figures.pictures import wordmark
from explorer.text import LANGUAGES, closest_language, say

ELEMENTS = ("BidiComponent", "Html", "ButtonGroup")
"""Streamlit's elements on every page, each a script that its document does not call."""
FIRST_PAGE = "explore"
"""What people call the page that has no name in its address."""
CHARTED = ("models",)
"""Pages whose figure are Plotly's charts: 5 MB that are asked for only with the first of them."""
FindFirst = Callable[[str, str], bytes | None]
"""From the model that an address names ("" for none) and a language to a payload."""
FOREVER = "public, immutable, max-age=31536000"
OWN_FOREVER = FOREVER.replace("public", "private")
"""Of what may be of a visitor's own images: no cache between may keep it."""
_IMPORT = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')
_SCRIPT = re.compile(rf"/_stcore/bidi-components/{PACKAGE}\.\w+/([0-9a-f]{{16}}/[\w/]+\.js)$")
_PAYLOAD = re.compile(
    rf"/_stcore/bidi-components/{COMPONENT}/(?:[0-9a-f]{{16}}/)?payload/([0-9a-f]{{16}})"
)
"""Beside the map's own script, so that whatever lets this through lets that through."""
ROOT = '<script>window.__streamlit ??= {BACKEND_BASE_URL: new URL(".", location).href}</script>'
"""Where the server is. From a page's own address Streamlit asks for it below that first, which are
two requests that find nothing, and then one round trip to the right place."""


STYLE = (
    # The base size of .streamlit/config.toml, of which Streamlit tells the browser only later.
    f"<style>:root {{ font-size: 15px; {role_variables(False)} }}"
    f"@media (prefers-color-scheme: dark) {{ :root {{ {role_variables(True)} }} }}"
    f"{read_styles('page', 'opening')}</style>"
)


class Opening:
    """ASGI middleware: answers for the pages' document and for the bundled scripts."""

    def __init__(
        self,
        app: ASGIApp,
        static: Path,
        base: str = "",
        offers: Offers = OFFERS,
        find_first: FindFirst = lambda model, language: None,
    ) -> None:
        """`static` is the folder of Streamlit's own document, `base` its `server.baseUrlPath`.

        `find_first` returns the payload of a page that nobody has opened yet, where it is at hand.
        """
        self.offers = offers
        self.find_first = find_first
        self.app = app
        self.static = static
        self.base = f"/{base.strip('/')}".rstrip("/")
        self.elements = find_elements(static, ELEMENTS)
        self.charts = find_elements(static, (*ELEMENTS, "PlotlyChart"))
        root, self.folder = find_scripts()
        self.scripts = pack_scripts(root, self.folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand the request on to Streamlit."""
        response = self.answer(scope) if scope["type"] == "http" else None
        await (response or self.app)(scope, receive, send)

    def answer(self, scope: Scope) -> Response | None:
        """Return the answer to a request, None for one that is Streamlit's."""
        headers = Headers(scope=scope)
        if scope["method"] != "GET" or not f"{scope['path']}/".startswith(f"{self.base}/"):
            return None
        path = scope["path"].removeprefix(self.base)
        if (self.base and not path) or path.strip("/") == FIRST_PAGE:
            # Everything that the document calls lies beside it: below the base path, not above.
            # The first page has no name to Streamlit, which would say that there is no such page.
            asked = scope.get("query_string", b"").decode("latin-1")
            return RedirectResponse(f"{self.base}/{asked and f'?{asked}'}")
        if path.strip("/") in LEDES and path.count("/") <= 1:
            return self.open(path.strip("/"), scope, headers)
        if (match := _SCRIPT.search(path)) and "gzip" in headers.get("accept-encoding", ""):
            return self.hand_out(match.group(1))
        if match := _PAYLOAD.fullmatch(path):
            return self.hand_over(match.group(1), scope.get(OWNER, ""))
        return None

    def hand_over(self, fingerprint: str, owner: str = "") -> Response:
        """Return a payload, as it is: most of it are numbers, which hardly pack."""
        if (payload := self.offers.find(fingerprint, owner)) is None:
            return Response(status_code=404, headers={"cache-control": "no-store"})
        told = {"cache-control": OWN_FOREVER}
        return Response(payload, media_type="application/octet-stream", headers=told)

    def hand_out(self, name: str) -> Response | None:
        """Return a script that the browser may keep: its address names its content."""
        if (packed := self.scripts.get(name)) is None:
            return None
        told = {"content-encoding": "gzip", "cache-control": FOREVER, "vary": "accept-encoding"}
        return Response(packed, media_type="text/javascript", headers=told)

    def open(self, page: str, scope: Scope, headers: Mapping[str, str]) -> Response:
        """Return the document of a page, in the language of the address, else of the browser."""
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        language = asked.get("lang", [""])[-1]
        if language not in LANGUAGES:
            language = closest_language(headers.get("accept-language", "").split(",")[0])
        document = (self.static / "index.html").read_text(encoding="utf-8")
        calls = [f'<link rel="modulepreload" href="./{name}">' for name in self.calls(page)]
        first = ROOT if page else ""
        model, owner = asked.get("model", [""])[-1], scope.get(OWNER, "")
        below = SKELETONS.get(page, "")
        if page == "" and self.folder and (wanted := self.expect(model, language, owner)):
            beside = f"./_stcore/bidi-components/{COMPONENT}/{self.folder}"
            # Before all that Streamlit calls, which it needs first only when the map stands.
            first = f'{calls.pop()}<link rel="preload" as="fetch" crossorigin fetchpriority="high" '
            first += f'href="{beside}payload/{wanted}">'
            below = draw_map(f"{beside}map/main.js", wanted)
        document = document.replace("<title>Streamlit", f"<title>{say(language, 'app.title')}")
        document = document.replace('<html lang="en">', f'<html lang="{language}">')
        document = document.replace("<head>", f"<head>{first}")
        document = document.replace("</head>", f"{''.join(calls)}{STYLE}</head>")
        document = document.replace("<body>", f"<body>{draw_frame(page, language, below)}")
        kept = {"cache-control": "no-cache", "vary": "accept-language"}
        return HTMLResponse(document, headers=kept)

    def expect(self, model: str, language: str, owner: str) -> str | None:
        """Return the fingerprint of the payload that Explore will ask for, where it is at hand."""
        wanted = self.offers.expect(model, language, owner)
        if wanted is None and (payload := self.find_first(model, language)) is not None:
            wanted = self.offers.offer(payload, model, language)
        return wanted

    def calls(self, page: str) -> Iterable[str]:
        """Return what the page will ask for, in the order of its asking."""
        elements = self.charts if page in CHARTED else self.elements
        yield from (f"static/js/{name}" for name in elements)
        mounted = {"": (COMPONENT, "map"), "elbo": (LENS, "lens")}
        if self.folder and page in mounted:
            name, room = mounted[page]
            yield f"_stcore/bidi-components/{name}/{self.folder}{room}/main.js"


def pack_scripts(root: Path, folder: str) -> dict[str, bytes]:
    """Return the bundles by their path below `root`, compressed once for all visitors."""
    if not folder:
        return {}
    found = sorted((root / folder).rglob("*.js"))
    return {path.relative_to(root).as_posix(): gzip.compress(path.read_bytes()) for path in found}


def find_elements(static: Path, elements: Iterable[str]) -> list[str]:
    """Return the names of the scripts of elements and of their imports that no document calls."""
    folder = static / "static" / "js"
    names = [path.name for element in elements for path in sorted(folder.glob(f"{element}.*.js"))]
    for name in names:  # It grows while it is read.
        source = (folder / name).read_text(encoding="utf-8")
        names += [found for found in _IMPORT.findall(source) if found not in names]
    document = (static / "index.html").read_text(encoding="utf-8")
    return [name for name in names if name not in document]


def draw_map(script: str, payload: str) -> str:
    """Return the place of the map, which its outline holds until `script` has mounted it there."""
    return (
        f'<div class="early" data-payload="{payload}"><template shadowrootmode="open"><style>'
        f"{read_styles('shared', 'map')}slot:has(~ .lx) {{ display: none; }}</style><slot></slot>"
        f"</template>{SKELETON}</div>"
        f'<script type="module" async>import mount from "{script}";'
        'const place = document.querySelector("#first-frame .early");'
        'if (place) { place.mount = mount; place.dispatchEvent(new Event("come")); }</script>'
    )


@cache
def write_script() -> str:
    """Return the script that ends the first frame, with all that it imports."""
    return bundle_modules("opening/main.js")


def draw_frame(page: str, language: str, below: str) -> str:
    """Return what the document shows until the page is there, with `below` under its sentence."""
    title = say(language, "app.title")
    marks = "".join(
        f'<div class="mark {theme}">{wordmark(title, theme == "dark")}</div>'
        for theme in ("light", "dark")
    )
    sentence = write_lede(say(language, LEDES[page]))
    return (
        f'<div id="first-frame"><div>{marks}{sentence}{below}</div></div>'
        f'<script type="module" async>{write_script()}</script>'
    )
