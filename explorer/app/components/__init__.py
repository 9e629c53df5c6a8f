"""The browser side: components that Streamlit mounts and that live in JavaScript."""

from explorer.app.components.mount import (
    latent_map,
    register_components,
    send_member,
    send_message,
)

__all__ = ["latent_map", "register_components", "send_member", "send_message"]
