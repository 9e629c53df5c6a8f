"""The components that Streamlit mounts; they live in `explorer/browser/`."""

from explorer.app.components.mount import (
    balance_bars,
    latent_map,
    lens,
    register_components,
    send_member,
    send_message,
    send_refinement,
)

__all__ = [
    "balance_bars",
    "latent_map",
    "lens",
    "register_components",
    "send_member",
    "send_message",
    "send_refinement",
]
