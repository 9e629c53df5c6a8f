"""The browser side: components that Streamlit mounts and that live in JavaScript."""

from explorer.app.parts.mount import (
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
