"""A run → one HTML file that holds everything: networks, codes, pictures and the interpreter.

It works by double-click: its modules are bundled, as browsers refuse to import from the disk.
"""

import base64
import html
from collections.abc import Mapping
from typing import Any

from explorer.browser import read_styles
from explorer.errors import ExplorerError
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.export.payload import Pictures, build_payload

MAX_PAGE_BYTES = 8_000_000
ENTRY = "map/standalone.js"


def build_page(
    run: Any,
    pictures: Pictures | None,
    text: Mapping[str, str],
    scene: str = "",
    language: str = "en",
) -> bytes:
    """Return the page as bytes, below 8 MB: half-precision weights, fewer codes where needed.

    `scene` is a query string as in the app's address, `language` that of `text`. Raises
    ExplorerError for a model whose networks alone are too large.
    """
    for codes, images in ((1_000_000, 600), (100_000, 300), (20_000, 120), (5_000, 40)):
        fewer = None if pictures is None else _first(pictures, images)
        payload = build_payload(run, fewer, text, language, half=True, max_codes=codes)
        credit = "" if pictures is None else pictures.credit
        page = wrap_payload(payload, run.name, scene, language, credit)
        if len(page) <= MAX_PAGE_BYTES:
            if _is_local(payload):
                return page
            break
    raise ExplorerError("This model is too large for a page of its own (8 MB at most).")


def wrap_payload(
    payload: bytes, name: str, scene: str = "", language: str = "en", credit: str = ""
) -> bytes:
    """Return the page of a payload that is at hand, of whatever size.

    `credit` says whose the pictures in it are, and stands at its foot.
    """
    script, worker = (
        bundle_modules(entry).replace("</script", "<\\/script") for entry in (ENTRY, WORKER_ENTRY)
    )
    return _PAGE.format(
        title=html.escape(f"{name} · Latent Explorer"),
        scene=html.escape(scene, quote=True),
        language=html.escape(language, quote=True),
        style=read_styles("shared", "map"),
        script=script,
        worker=worker,
        payload=base64.b64encode(payload).decode(),
        credit=f'<footer lang="en">{html.escape(credit)}</footer>' if credit else "",
    ).encode()


def _is_local(payload: bytes) -> bool:
    from explorer.export.container import unpack

    return unpack(payload)["networks"] is not None


def _first(pictures: Pictures, count: int) -> Pictures:
    labels = None if pictures.labels is None else pictures.labels[:count]
    kept = pictures.images[:count], labels, pictures.ids[:count]
    return Pictures(*kept, pictures.source, pictures.credit, pictures.factors)


_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
html {{ color-scheme: light dark; }}
body {{ margin: 0; padding: 14px clamp(12px, 2.2vw, 28px); background: #fbfbfa; }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #0f1218; }}
  .lx {{ --lx-page: #0f1218; }}
}}
{style}
.lx {{ max-width: 1480px; margin: 0 auto; }}
.lx .map {{ height: clamp(300px, calc(100vh - 348px), 680px); }}
footer {{
  max-width: 1480px; margin: 10px auto 0; font: 12px system-ui, sans-serif; opacity: .8;
}}
</style>
</head>
<body>
<div id="explorer" class="lx" data-scene="{scene}"></div>
{credit}
<script type="application/octet-stream" id="payload">{payload}</script>
<script type="text/plain" id="worker">
{worker}
</script>
<script>
{script}
</script>
</body>
</html>
"""
