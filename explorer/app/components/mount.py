"""How the latent map gets into the page.

Streamlit finds a component's manifest inside an installed wheel, not in an editable install nor in
a plain checkout; registering it by hand works in all three.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).with_name("latent_map")
PACKAGE = "latent-explorer"
COMPONENT = f"{PACKAGE}.latent_map"


_renderers: dict[int, Callable[..., Any]] = {}


def register_components() -> Callable[..., Any]:
    """Make the map known to the running server, once, and return what mounts it.

    The manifest API is not public: should a later Streamlit move it, the import error names it.
    """
    from streamlit.components.v2 import component
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
    from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

    manager = get_bidi_component_manager()
    known = manager.get_component_asset_root(COMPONENT) is not None
    if known and id(manager) in _renderers:
        return _renderers[id(manager)]
    if not known:
        manifest = ComponentManifest(
            name=PACKAGE,
            version="1",
            components=[ComponentConfig(name="latent_map", asset_dir=ASSETS.name)],
        )
        manager.register_from_manifest(manifest, ASSETS.parent)
    # Styles travel with the first message, so that the page never shows without them.
    style = (ASSETS / "style.css").read_text("utf-8")
    _renderers.clear()
    _renderers[id(manager)] = component(COMPONENT, js="main.js", css=style)
    return _renderers[id(manager)]


def latent_map(payload: bytes, key: str, **callbacks: Callable[[], None]) -> Any:
    """Mount the map for a payload of `explorer.export.payload.build_payload`.

    States: z (list of floats, where z came to rest); for models decoded on the server also encode
    and decode (requests). Triggers: picked ({z, id, label}),
    model (an id), export ({kind: html | parquet, …}), project ({kind: tsne}). Callbacks are
    `on_<name>_change`.
    """
    return register_components()(key=key, data=payload, **callbacks)


def send_message(message: dict[str, Any], key: str) -> None:
    """Tell the mounted map something small: models to choose from, a decoded picture, a file."""
    register_components()(key=key, data=message, height=1)


def send_member(payload: bytes, key: str) -> None:
    """Hand the mounted map one more model of its sweep (`explorer.export.sweep.build_member`)."""
    register_components()(key=key, data=payload, height=1)
