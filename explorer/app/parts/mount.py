"""How the components get into the page.

Streamlit finds a component's manifest inside an installed wheel, not in an editable install nor in
a plain checkout; registering it by hand works in all three.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from explorer.app.parts.kept import read_widget
from explorer.browser import ASSETS, read_styles
from explorer.errors import ExplorerError
from explorer.export.bundle import bundle_component, publish_bundles
from explorer.paths import cache_folder

PACKAGE = "latent-explorer"
COMPONENT = f"{PACKAGE}.latent_map"
LENS = f"{PACKAGE}.lens"
REQUESTS = ("encode", "decode", "batch")
"""States of the map in which it asks for what only the server can compute (`parts.answers`)."""


_renderers: dict[tuple[int, str], Callable[..., Any]] = {}


def register_components() -> Callable[..., Any]:
    """Make the map known to the running server, once, and return what mounts it."""
    return _register(COMPONENT, "map")


def register_lens() -> Callable[..., Any]:
    """Make the lens known to the running server, once, and return what mounts it."""
    return _register(LENS, "lens")


def _register(name: str, room: str) -> Callable[..., Any]:
    """Register a component by its room.

    The manifest API is not public: should a later Streamlit move it, the import error names it.
    Styles travel with the first message, so that the page never shows without them.
    """
    from streamlit.components.v2 import component
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
    from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

    manager = get_bidi_component_manager()
    known = manager.get_component_asset_root(name) is not None
    if known and (id(manager), name) in _renderers:
        return _renderers[id(manager), name]
    root, folder = find_scripts()
    if not known:
        config = ComponentConfig(name=name.partition(".")[2], asset_dir=root.name)
        manifest = ComponentManifest(name=PACKAGE, version="1", components=[config])
        manager.register_from_manifest(manifest, root.parent)
    _renderers[id(manager), name] = component(
        name, js=f"{folder}{room}/main.js", css=read_styles("shared", room)
    )
    return _renderers[id(manager), name]


@cache
def find_scripts() -> tuple[Path, str]:
    """Return the folder that is served, and where below it the rooms are.

    A room is one file in the user's cache; where that cannot be written, a browser asks for its
    seventy modules, one level of imports after the other.
    """
    root = cache_folder() / "browser"
    try:
        return root, f"{publish_bundles(root).name}/"
    except ExplorerError:
        return ASSETS, ""


def script_component(room: str) -> Callable[..., Any]:
    """Return what mounts a room that shows nothing in its own place; its script is sent as text."""
    from streamlit.components.v2 import component
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager

    place = id(get_bidi_component_manager()), room
    if place not in _renderers:
        _renderers[place] = component(f"explorer_{room}", js=bundle_component(room))
    return _renderers[place]


def inline_component(name: str, room: str, markup: str) -> Callable[..., Any]:
    """Return what mounts a small component, whose script and style are sent as text."""
    from streamlit.components.v2 import component
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager

    place = id(get_bidi_component_manager()), name
    if place not in _renderers:
        _renderers[place] = component(
            f"explorer_{name}", html=markup, css=read_styles(room), js=bundle_component(room)
        )
    return _renderers[place]


def enclose(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a message for a component as Streamlit sends it without a second look.

    Among the values of a bare dictionary it looks for tables, and loads pandas for that: 70 MB.
    """
    return [message]


def do_nothing() -> None:
    """Stand in for a callback: a state with a default needs one."""


def latent_map(
    payload: bytes, fingerprint: str | None, key: str, **callbacks: Callable[[], None]
) -> Any:
    """Mount the map for a payload of `explorer.export.payload.build_payload`.

    With a `fingerprint` the browser fetches it by that (`explorer.app.offers`), and comes back with
    the state refused (the fingerprint) where it could not; without, it is sent.
    Other states: z (list of floats, where z came to rest); for models decoded on the server also
    encode, decode and batch (requests). Triggers: picked ({z, id, label}), model (an id), export
    ({kind: html | parquet, …}), project ({kind: tsne}). Callbacks are `on_<name>_change`.
    """
    refused = read_widget(key, {}).get("refused")
    fetched = fingerprint is not None and fingerprint != refused
    data = {"payload": fingerprint} if fetched else payload
    return register_components()(key=key, data=data, on_refused_change=do_nothing, **callbacks)


def send_message(message: dict[str, Any], key: str) -> None:
    """Tell the mounted map something small: models to choose from, a decoded picture, a file."""
    register_components()(key=key, data=enclose(message), height=1)


def await_map(run_id: str, key: str) -> bool:
    """Tell whether the map of a run stands on the page; a fragment that asks runs again then."""
    result = register_components()(
        key=key, data={"sweep": run_id}, height=1, on_ready_change=do_nothing
    )
    return bool(result.get("ready") == run_id)


def send_member(payload: bytes, key: str) -> None:
    """Hand the mounted map one more model of its sweep (`explorer.export.sweep.build_member`)."""
    register_components()(key=key, data=payload, height=1)


def lens(payload: bytes, key: str, **callbacks: Callable[[], None]) -> Any:
    """Mount the lens on one image for a payload of `explorer.export.lens.build_lens`.

    Trigger: refine (true). Callbacks are `on_<name>_change`.
    """
    return register_lens()(key=key, data=payload, **callbacks)


def send_refinement(message: dict[str, Any], key: str) -> None:
    """Tell the mounted lens how q was refined (`explorer.export.lens.describe_refinement`)."""
    register_lens()(key=key, data=enclose({"refined": message}), height=1)


def balance_bars(
    reconstruction: float, kl: float, log_px: float, words: dict[str, str], key: str
) -> None:
    """Show reconstruction + KL above −log p(x) + gap, nats, on one axis; `words` are elbo.lens.

    The axis stands still from run to run while a slider is dragged, and settles once it rests.
    """
    balance = {"reconstruction": reconstruction, "kl": kl, "log_px": log_px}
    register_lens()(key=key, data=enclose({"balance": balance, "text": words}))
