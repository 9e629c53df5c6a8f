"""A run → one HTML file that holds everything: networks, codes, pictures and the interpreter.

It works by double-click: its modules are bundled, as browsers refuse to import from the disk.
"""

import base64
import hashlib
import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from explorer.browser import read_styles
from explorer.errors import ExplorerError
from explorer.export.bundle import WORKER_ENTRY, bundle_modules
from explorer.export.container import unpack
from explorer.export.document import frame_document
from explorer.export.payload import Pictures, build_payload, describe_codes

MAX_PAGE_BYTES = 8_000_000
PAGE_IMAGE_BYTES = 20_000_000
"""Of pictures before they are packed; build_page takes as many as fit."""
AMOUNTS = ((1_000_000, 1500), (1_000_000, 600), (100_000, 300), (20_000, 120), (5_000, 40))
"""Codes and pictures that a page carries: the first pair that fits."""
ATLAS_PICTURES = 600
"""Pictures at most where each of them is decoded in advance as well."""
ENTRY = "map/standalone.js"


def build_page(
    run: Any,
    pictures: Pictures | None,
    text: Mapping[str, str],
    scene: str = "",
    language: str = "en",
) -> bytes:
    """Return the page as bytes, below 8 MB: half-precision weights, pictures in colour packed.

    Fewer codes and pictures go with larger networks. Where the networks are too large, or of a kind
    that a browser does not interpret, decoded pictures stand for them (`export.atlas`); the page
    says so. `scene` is a query string as in the app's address, `language` that of `text`. Raises
    ExplorerError where even that is too large.
    """
    credit = "" if pictures is None else pictures.credit
    return fit_payload(
        run,
        pictures,
        text,
        language,
        lambda payload: wrap_payload(payload, run.name, scene, language, credit),
        MAX_PAGE_BYTES,
    )


def fit_payload(
    run: Any,
    pictures: Pictures | None,
    text: Mapping[str, str],
    language: str,
    wrap: Callable[[bytes], bytes],
    limit_bytes: int,
) -> bytes:
    """Return `wrap` of the largest payload that it makes no more than `limit_bytes` of.

    With fewer codes and pictures where the networks are large; with decoded pictures in their place
    where a browser cannot run them. Raises ExplorerError where even that is too large.
    """
    found = _fit(run, pictures, text, language, None, wrap, limit_bytes)
    if found is None:
        few = None if pictures is None else _first(pictures, ATLAS_PICTURES)
        found = _fit(run, few, text, language, _draw_atlas(run, few), wrap, limit_bytes)
    if found is None:
        room = f"{limit_bytes / 1e6:g} MB"
        raise ExplorerError(f"This model is too large for a page of its own ({room} at most).")
    return found


def _fit(
    run: Any,
    pictures: Pictures | None,
    text: Mapping[str, str],
    language: str,
    atlas: Mapping[str, Any] | None,
    wrap: Callable[[bytes], bytes],
    limit_bytes: int,
) -> bytes | None:
    """Return what `wrap` makes of as many codes and pictures as fit; None without a decoder."""
    for codes, images in AMOUNTS:
        fewer = None if pictures is None else _first(pictures, images)
        payload = build_payload(
            run, fewer, text, language, half=True, max_codes=codes, packed=True, atlas=atlas
        )
        if not _has_decoder(payload):
            return None
        wrapped = wrap(payload)
        if len(wrapped) <= limit_bytes:
            return wrapped
    return None


def _draw_atlas(run: Any, pictures: Pictures | None) -> dict[str, Any]:
    """Return what stands for a run's networks, with the codes of its pictures."""
    from explorer.export.atlas import build_atlas

    model = run.model
    codes = describe_codes(run, half=True)
    known = codes or {"kl": None, "spread": None, "low": None, "high": None}
    activity = known["kl"] or known["spread"] or [0.0] * model.latent_dim
    order = np.argsort(-np.asarray(activity), kind="stable").tolist()
    is_own = model.has_density and model.prior.describe() is None
    low, high = (None if is_own or not known[n] else np.asarray(known[n]) for n in ("low", "high"))
    images = None if pictures is None else pictures.images
    return build_atlas(model, images, order, low, high)


def wrap_payload(
    payload: bytes, name: str, scene: str = "", language: str = "en", credit: str = ""
) -> bytes:
    """Return the page of a payload that is at hand, of whatever size.

    `credit` says whose the pictures in it are, and stands at its foot.
    """
    script, worker = (
        bundle_modules(entry).replace("</script", "<\\/script") for entry in (ENTRY, WORKER_ENTRY)
    )
    # A script's digest is of all between its tags.
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode()
    body = _BODY.format(
        scene=html.escape(scene, quote=True),
        script=script,
        worker=worker,
        payload=base64.b64encode(payload).decode(),
        credit=f'<footer lang="en">{html.escape(credit)}</footer>' if credit else "",
    )
    head = _HEAD.format(style=read_styles("shared", "map"))
    policy = _POLICY.format(digest=digest)
    return frame_document(language, policy, f"{name} · Latent Explorer", head, body).encode()


def _has_decoder(payload: bytes) -> bool:
    header = unpack(payload)
    return header["networks"] is not None or header["atlas"] is not None


def _first(pictures: Pictures, count: int) -> Pictures:
    labels = None if pictures.labels is None else pictures.labels[:count]
    kept = pictures.images[:count], labels, pictures.ids[:count]
    return Pictures(*kept, pictures.source, pictures.credit, pictures.factors)


_POLICY = (
    "default-src 'none'; script-src 'sha256-{digest}' blob:; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""Its own script and the worker made of it, and nothing from anywhere else: whatever a name in the
page is made to be, the browser runs and loads nothing of it."""
_HEAD = """<style>
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
</style>"""
_BODY = """<div id="explorer" class="lx" data-scene="{scene}"></div>
{credit}
<script type="application/octet-stream" id="payload">{payload}</script>
<script type="text/plain" id="worker">
{worker}
</script>
<script>
{script}
</script>"""
